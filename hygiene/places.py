"""Where our own data lives, and how to move it."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path


def home_folder() -> Path:
    """Give the user data folder: embedded store, audit log and identity (``HYGIENE_HOME``)."""
    return _folder("HYGIENE_HOME", "XDG_DATA_HOME", ".local/share", "user_data_dir")


def audit_folder() -> Path:
    """Give the folder of this user's audit log."""
    return home_folder() / "audit"


def cache_folder() -> Path:
    """Give the cache folder: compiled rules (``HYGIENE_CACHE``)."""
    return _folder("HYGIENE_CACHE", "XDG_CACHE_HOME", ".cache", "user_cache_dir")


def repository_folder(git_common_dir: Path) -> Path:
    """Give our folder inside a repository's git directory: journals and the cache of scanned blobs."""
    return git_common_dir / "hygiene"


def _folder(override: str, xdg: str, default: str, elsewhere: str) -> Path:
    chosen = os.environ.get(override)
    if chosen:
        return Path(chosen)
    if sys.platform in ("darwin", "win32"):
        # Late: its import costs a hook more than a small scan, and where XDG rules, its answer is the one below.
        return Path(getattr(import_module("platformdirs"), elsewhere)("hygiene", appauthor=False))
    base = os.environ.get(xdg, "")  # XDG Base Directory Specification: a relative one is to be ignored
    return (Path(base) if base.startswith("/") else Path.home() / default) / "hygiene"
