"""One file inside a container."""

from __future__ import annotations

import io
from typing import IO, NamedTuple

from hygiene.detect.containers.budget import Metered


class Member(NamedTuple):
    """A file inside a container, to be read before the next one is asked for."""

    path: str  # of the container, "!/", and its own
    stream: IO[bytes]
    text: bool = False  # a symlink's target and the like: not to be opened as a container

    @classmethod
    def of(cls, path: str, data: bytes) -> Member:
        """Make a member of ``data``, which is no container."""
        return cls(path, io.BytesIO(data), text=True)


class Part:
    """The next bytes of a stream, as a stream of their own."""

    def __init__(self, stream: Metered, size: int) -> None:
        """Give the next ``size`` bytes of ``stream``."""
        self._stream = stream
        self._left = size

    def read(self, count: int = -1) -> bytes:
        """Give at most ``count`` bytes; all that is left for a negative one. Raises EOFError where they are cut off."""
        wanted = self._left if count < 0 else min(count, self._left)
        data = self._stream.read(min(wanted, 1 << 20)) if wanted else b""
        if wanted and not data:
            raise EOFError("the archive ends too early")
        self._left -= len(data)
        return data

    def skip(self) -> None:
        """Read to the end."""
        while self.read(1 << 20):
            pass


def taken(stream: Metered, size: int) -> bytes:
    """Give the next ``size`` bytes of ``stream``: a header. Raises EOFError."""
    part, data = Part(stream, size), b""
    while piece := part.read(size):
        data += piece
    return data


def shown(name: str) -> str:
    """Give the name of an entry without what would lead out of the archive: a root, a drive, ``..``."""
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..")) or name
