"""The kinds of sources; each is imported when it is chosen."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from hygiene.errors import UsageError
from hygiene.fleet.listing.protocol import Lister

KINDS = {
    "folder": "hygiene.fleet.listing.folder",
    "file": "hygiene.fleet.listing.file",
    "github": "hygiene.fleet.listing.github",
    "gitlab": "hygiene.fleet.listing.gitlab",
}


def lister(kind: str) -> Lister:
    """Give the lister for ``kind``, a key of KINDS."""
    return cast(Lister, import_module(KINDS[kind]))


def kind_of(location: str) -> tuple[str, str]:
    """Tell a source's kind from how the user wrote it: ``github:ORG``, ``gitlab:GROUP``, a folder or a list file."""
    kind, colon, rest = location.partition(":")
    if colon and kind in ("github", "gitlab"):
        return kind, rest
    path = Path(location)
    if path.is_dir():
        return "folder", location
    if path.is_file():
        return "file", location
    raise UsageError(
        f"there is no {location}", hint="a folder, a file that lists repositories, github:ORG or gitlab:GROUP"
    )
