"""One file inside a container."""

from __future__ import annotations

import io
from typing import IO, NamedTuple


class Member(NamedTuple):
    """A file inside a container, to be read before the next one is asked for."""

    path: str  # of the container, "!/", and its own
    stream: IO[bytes]
    text: bool = False  # a symlink's target and the like: not to be opened as a container

    @classmethod
    def of(cls, path: str, data: bytes) -> Member:
        """Make a member of ``data``, which is no container."""
        return cls(path, io.BytesIO(data), text=True)


def shown(name: str) -> str:
    """Give the name of an entry without what would lead out of the archive: a root, a drive, ``..``."""
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..")) or name
