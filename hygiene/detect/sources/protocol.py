"""What every source of bytes promises: a cheap listing, the bytes on request, and the places afterwards.

The parent process lists and, at the end, asks for the places of what matched; worker processes read. A
source is therefore picklable and survives a fork: it opens processes and files in ``read`` only.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from hygiene.finding import Provenance, Skipped

WINDOW = 16 << 20  # bytes: a longer object is read in windows of this size …
OVERLAP = 64 << 10  # … each beginning this many bytes before the end of the one before


class Item(NamedTuple):
    """Something to scan, once, however many places hold it."""

    id: str  # git object id, or "sha256:…", "path:…" and the like outside git; unique within its source
    size: int  # in bytes; an estimate is enough, 0 where the listing does not know it
    path: str  # a hint: the first known path, "" where there is none


class Kin(NamedTuple):
    """What a blob has in common with one that was read before it."""

    key: Hashable  # names this blob for others; None: no other will be told by it
    base: Hashable = None  # the other's key
    copies: Sequence[tuple[int, int, int]] = ()  # the same in both: begins here, so many bytes, began there; in order


class Blob(NamedTuple):
    """The bytes of an item, or one window of them.

    A match that lies wholly inside an overlap is seen twice, at the same place of the object.
    """

    id: str
    data: bytes
    path: str
    start: int = 0  # where ``data`` begins in the object: 0, except for the later windows of a long one
    line: int = 1  # line of the first byte of ``data``, 1-based
    column: int = 1  # its column, 1-based, in bytes that are not UTF-8 continuation bytes
    kin: Kin | None = None


class Source(Protocol):
    """One place where secrets may lie."""

    commits: int  # how many commits items() has gone over so far; 0 outside of history

    def items(self) -> Iterable[Item]:
        """List what there is, each blob once, in the order that reads fastest. Raises SourceError."""
        ...

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of ``items``; one longer than WINDOW in overlapping windows, in order.

        What can't be read is left out here and stands in :meth:`skipped`. A few sources give blobs of other ids
        beside (names of files found on the way, files of a patch); provenance knows them.
        """
        ...

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Tell where the blobs ``ids`` appear, the oldest place first.

        A blob without a place (an object that no ref reaches, when those were not asked for) is missing from
        the answer; its findings are to be dropped.
        """
        ...

    def skipped(self) -> Sequence[Skipped]:
        """Tell what this copy of the source did not read since the last call, and why."""
        ...
