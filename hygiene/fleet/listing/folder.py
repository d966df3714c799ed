"""A folder of clones or bare mirrors, at any depth; they are scanned where they lie."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from hygiene.errors import SourceError, UsageError
from hygiene.fleet.listing.protocol import Listed, Listing, Wanted

_DEPTH = 8  # folders below the source; deeper ones are named as skipped


def check(wanted: Wanted) -> str:
    """Give the folder's absolute path."""
    path = Path(wanted.location)
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder")
    return os.fspath(path.resolve())


def listing(wanted: Wanted, memory: Mapping[str, Any], known: Collection[str]) -> Listing:
    """Find the repositories; links are not followed, and nothing is looked for inside a repository."""
    top = Path(wanted.location)
    if not top.is_dir():
        raise SourceError(f"the folder {top} is gone", hint="is it mounted?")
    skipped: list[tuple[str, str]] = []
    found = [listed(path, top) for path in sorted(_repositories(top, 0, skipped))]
    return Listing.whole(found, known, skipped)


def listed(path: Path, top: Path) -> Listed:
    """Give the repository at ``path``, named by its way from ``top``."""
    name = path.name if path == top else path.relative_to(top).as_posix()
    return Listed(f"path:{_text(path)}", name.removesuffix("/.git"), path=_text(path))


def is_repository(path: Path) -> bool:
    """Say whether ``path`` is a working tree's top or a bare repository."""
    if (path / ".git").exists():
        return True
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def _repositories(folder: Path, depth: int, skipped: list[tuple[str, str]]) -> Iterator[Path]:
    if is_repository(folder):
        yield folder
        return
    if depth > _DEPTH:
        skipped.append((str(folder), f"more than {_DEPTH} folders deep"))
        return
    try:
        with os.scandir(folder) as entries:
            below = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        skipped.append((str(folder), f"it can't be read: {error.strerror}"))
        return
    for path in below:
        yield from _repositories(path, depth + 1, skipped)


def _text(path: Path) -> str:
    text = os.fspath(path)
    if "\udc80" <= max(text) <= "\udcff":
        raise SourceError(f"the path {os.fsencode(path)!r} is not UTF-8", hint="rename the folder")
    return text
