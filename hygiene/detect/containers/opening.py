"""Opens what is a container, by its first bytes and never by its name, and what is inside of it, and so on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import IO

from hygiene.detect.containers import compressed, office, packages, sevenzip, tars, zips
from hygiene.detect.containers.budget import Budget, LimitReached, Metered
from hygiene.detect.containers.compressed import MissingLibrary
from hygiene.detect.containers.member import Member
from hygiene.detect.sources.protocol import WINDOW, Blob
from hygiene.detect.sources.windows import windows

HEAD = 512  # bytes that tell what something is
_STREAMS: tuple[tuple[bytes, Callable[[Metered], IO[bytes]]], ...] = (
    (b"\x1f\x8b", compressed.gunzip),
    (b"BZh", compressed.bunzip2),
    (b"\xfd7zXZ\0", compressed.unxz),
    (b"\x28\xb5\x2f\xfd", compressed.unzstd),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_SEVENZIP = b"7z\xbc\xaf\x27\x1c"
_STREAMED: tuple[tuple[bytes, Callable[[Metered, str, Budget], Iterator[Member]]], ...] = (
    (packages.AR, packages.ar_members),
    (packages.RPM, packages.rpm_members),
    *((magic, packages.cpio_members) for magic in packages.CPIO),
)
_CLOSED = (
    (b"Rar!\x1a\x07", "rar"),
    (b"MSCF", "cab"),
    (b"xar!", "xar"),
    (b"LZIP", "lzip"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress (.Z)"),
    (b"\x89LZO", "lzop"),
    (b"hsqs", "squashfs"),
)
_STARTS = (*_ZIP, _SEVENZIP, *(row[0] for rows in (_STREAMS, _STREAMED, _CLOSED) for row in rows))
_FAILURES = (zipfile.BadZipFile, *tars.FAILURES)


def is_container(head: bytes) -> bool:
    """Say whether what begins with ``head`` (HEAD bytes) is an archive or compressed, readable or not."""
    return head.startswith(_STARTS) or (len(head) >= HEAD and tars.is_tar(head))


def unpack(stream: IO[bytes], path: str, budget: Budget) -> Iterator[Blob]:
    """Give a blob for each file in the container ``stream``, and in the containers inside of it.

    A blob's id and path are ``path``, "!/" and the file's own path, or just ``path`` for a compressed
    file. Limits that bite, damage, encryption and formats that can't be read are noted in ``budget``; what was read
    until then is given.
    """
    try:
        yield from _Opening(budget).blobs(Member(path, stream), 0)
    except LimitReached as limit:
        budget.leave(path, str(limit))


class _Opening:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def blobs(self, member: Member, depth: int) -> Iterator[Blob]:
        stream = Metered(member.stream, self._budget) if depth else _Free(member.stream, self._budget)
        head = b"" if member.text else stream.peek(HEAD)
        if member.text or not is_container(head):
            yield from self._leaf(member.path, stream)
        elif depth >= self._budget.limits.depth:
            self._budget.leave(member.path, f"more than {depth} containers inside one another")
        else:
            try:
                yield from self._inside(member, stream, head, depth)
            except MissingLibrary as missing:
                self._budget.leave(member.path, str(missing))
            except _FAILURES as error:
                self._budget.leave(member.path, f"damaged: {error or type(error).__name__}")

    def _inside(self, member: Member, stream: Metered, head: bytes, depth: int) -> Iterator[Blob]:
        path = member.path
        for magic, name in _CLOSED:
            if head.startswith(magic):
                self._budget.leave(path, f"{name} archives are not read")
                return
        for start, open_stream in _STREAMS:
            if head.startswith(start):
                yield from self.blobs(Member(path, open_stream(stream)), depth + 1)
                return
        for inner in self._members(member, stream, head):
            yield from self.blobs(inner, depth + 1)

    def _members(self, member: Member, stream: Metered, head: bytes) -> Iterator[Member]:
        for start, read_members in _STREAMED:
            if head.startswith(start):
                return read_members(stream, member.path, self._budget)
        if tars.is_tar(head):
            return tars.members(stream, member.path, self._budget)
        seekable = self._seekable(member, stream)
        if seekable is None:
            return iter(())
        read = sevenzip.members if head.startswith(_SEVENZIP) else zips.members
        return read(seekable, member.path, self._budget)

    def _seekable(self, member: Member, stream: Metered) -> IO[bytes] | None:
        """Give the container for reading here and there: the file itself, or an inner one held in memory."""
        if isinstance(stream, _Free):
            member.stream.seek(0)
            return member.stream
        held = self._budget.limits.held
        parts, size = [], 0
        while size <= held and (part := stream.read(1 << 20)):
            parts.append(part)
            size += len(part)
        if size > held:
            self._budget.leave(member.path, f"an inner archive of more than {held >> 20} MiB, which can't be streamed")
            return None
        return io.BytesIO(b"".join(parts))

    def _leaf(self, path: str, stream: Metered) -> Iterator[Blob]:
        blobs = windows(stream.read, path, path)
        if not office.holds_text(path):
            yield from blobs
            return
        for blob in blobs:
            whole = blob.start == 0 and len(blob.data) < WINDOW
            yield blob._replace(data=office.text_of(blob.data)) if whole else blob


class _Free(Metered):
    """The outermost file: reading it costs nothing, what comes out of it does."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        super().__init__(stream, budget)

    def _fetch(self, count: int) -> bytes:
        return self._stream.read(count)
