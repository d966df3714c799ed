"""Where our own data lives, and how to move it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home_folder() -> Path:
    """Give the user data folder: embedded store, audit log and identity (``HYGIENE_HOME``)."""
    override = os.environ.get("HYGIENE_HOME")
    return Path(override) if override else Path(platformdirs.user_data_dir("hygiene", appauthor=False))


def cache_folder() -> Path:
    """Give the cache folder: compiled rules (``HYGIENE_CACHE``)."""
    override = os.environ.get("HYGIENE_CACHE")
    return Path(override) if override else Path(platformdirs.user_cache_dir("hygiene", appauthor=False))


def repository_folder(git_common_dir: Path) -> Path:
    """Give our folder inside a repository's git directory: journals and the cache of scanned blobs."""
    return git_common_dir / "hygiene"
