"""Tar archives, read as a stream: packages, backups, and the layers of container images."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from typing import IO, Any, cast

from hygiene.detect.containers.budget import Budget, Metered
from hygiene.detect.containers.compressed import ERRORS
from hygiene.detect.containers.member import Member, shown

_LONGEST_HEADER = 1 << 20  # bytes of a name or of extended attributes, which tarfile reads into memory
_EXTENDED = (b"x", b"g", b"X", b"L", b"K")


class _Entry(tarfile.TarInfo):
    """An entry that refuses extended headers as large as files."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in _EXTENDED and self.size > _LONGEST_HEADER:
            raise tarfile.ReadError(f"an extended header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


def members(stream: Metered, path: str, budget: Budget) -> Iterator[Member]:
    """Give the files in the tar archive ``stream``, and where links lead to; raises tarfile.TarError."""
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=_Entry, errors="surrogateescape") as archive:
        for entry in archive:
            archive.members = []  # type: ignore[attr-defined]  # tarfile would remember each
            budget.enter()
            inner = f"{path}!/{shown(entry.name)}"
            if entry.issym() or entry.islnk():
                yield Member.of(inner, os.fsencode(entry.linkname))
            elif entry.isfile() and (file := archive.extractfile(entry)) is not None:
                yield Member(inner, file)


def is_tar(head: bytes) -> bool:
    """Say whether ``head``, at least 512 bytes, is the header of a tar entry: its checksum holds."""
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


FAILURES = (tarfile.TarError, *ERRORS)
