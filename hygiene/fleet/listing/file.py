"""A text file that lists repositories: a path or an address a line; blank lines and those with # do not count."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hygiene.errors import SourceError, UsageError
from hygiene.fleet.listing.folder import is_repository
from hygiene.fleet.listing.protocol import Listed, Listing, Wanted

_SCHEMES = ("https", "ssh", "git+ssh", "file")
_SCP = re.compile(r"[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:[^-].*")  # user@host:path
_BYTES = 16 << 20


def check(wanted: Wanted) -> str:
    """Give the file's absolute path. Raises SourceError where it can't be read."""
    path = Path(wanted.location)
    if not path.is_file():
        raise UsageError(f"{path} is not a file")
    _lines(path)
    return os.fspath(path.resolve())


def listing(wanted: Wanted, memory: Mapping[str, Any], known: Collection[str]) -> Listing:
    """Read the file; relative paths are meant from its folder. A line that names none is skipped with a reason."""
    path = Path(wanted.location)
    skipped: list[tuple[str, str]] = []
    found = list(_repositories(_lines(path), path, skipped))
    return Listing.whole(found, known, skipped)


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _BYTES:
            raise SourceError(f"{path} is no list of repositories: it has more than {_BYTES >> 20} MiB")
        return path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error


def _repositories(lines: list[str], path: Path, skipped: list[tuple[str, str]]) -> Iterator[Listed]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        one = _repository(text, path.parent)
        if isinstance(one, Listed):
            yield one
        else:
            skipped.append((f"{path.name}:{number}", one))


def _repository(text: str, folder: Path) -> Listed | str:
    """Give the repository that a line names, or why it names none."""
    if not text.isprintable():
        return "it holds characters that can't be printed"
    if "://" in text:
        return _from_url(text)
    if _SCP.fullmatch(text):
        return _remote(text, text.partition("@")[2].replace(":", "/", 1))
    path = (folder / Path(text).expanduser()).resolve()
    if not is_repository(path):
        return "there is no repository"
    return Listed(f"path:{path}", text.rstrip("/").removesuffix(".git") or str(path), path=str(path))


def _from_url(text: str) -> Listed | str:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - is refused when it is asked for
    except ValueError:
        return "it is no address"
    if parts.scheme not in _SCHEMES:
        return f"not one of {', '.join(_SCHEMES)}"
    if parts.password or (parts.username and parts.scheme == "https"):
        return "a credential does not belong into a list: take it out"
    if not parts.path.strip("/") or not (parts.hostname or parts.scheme == "file"):
        return "the address names no repository"
    return _remote(text, f"{parts.netloc.rpartition('@')[2]}{parts.path}")


def _remote(url: str, name: str) -> Listed:
    short = name.rstrip("/").removesuffix(".git").lstrip("/")
    return Listed(f"url:{short.lower()}", short, url=url)
