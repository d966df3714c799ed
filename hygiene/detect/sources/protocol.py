"""What every source of bytes promises: a cheap listing, the bytes on request, and the places afterwards.

The parent process lists and, at the end, asks for the places of what matched; worker processes read. A
source is therefore picklable or survives a fork: it opens processes and files in ``read`` only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from hygiene.finding import Provenance, Skipped

WINDOW = 16 << 20  # bytes: a longer object is read in windows of this size …
OVERLAP = 64 << 10  # … each beginning this many bytes before the end of the one before


class Item(NamedTuple):
    """Something to scan, once, however many places hold it."""

    id: str  # git object id, or "sha256:…", "path:…" and the like outside git
    size: int  # in bytes; an estimate is enough
    path: str  # a hint: the first known path, "" where there is none


class Blob(NamedTuple):
    """The bytes of an item, or one window of them."""

    id: str
    data: bytes
    path: str
    start: int = 0  # where ``data`` begins in the object: 0, except for the later windows of a long one


class Source(Protocol):
    """One place where secrets may lie."""

    def items(self) -> Iterable[Item]:
        """List what there is, each blob once, in the order that reads fastest."""
        ...

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of ``items``; one longer than WINDOW in overlapping windows, in order.

        What can't be read is left out here and stands in :meth:`skipped`.
        """
        ...

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Tell where the blobs ``ids`` appear, the oldest place first."""
        ...

    def skipped(self) -> Sequence[Skipped]:
        """Tell what was not read, by this process, and why."""
        ...
