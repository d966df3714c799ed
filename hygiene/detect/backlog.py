"""The items that are listed and not yet handed out, and how they are cut into chunks.

Listing goes on while workers work. A chunk is large while much waits, since what is read together costs less (versions
of a file are rebuilt from each other), and small towards the end, so that no worker is left with much alone. What was
listed last goes first then: a source puts there what takes long and can't be cut, such as a walk over all trees.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from hygiene.detect.sources.protocol import Item

_FIRST_BYTES, _FIRST_ITEMS = 8 << 20, 2048  # a scan of no more than this is over sooner than a worker has started
_MOST_BYTES, _MOST_ITEMS = 8 << 20, 8192
_LEAST_BYTES, _LEAST_ITEMS = 1 << 20, 2048
_SHARES = 2  # chunks a worker into which what waits is cut
_AHEAD = 16 * _MOST_ITEMS  # items that may wait: some 30 MB
_STEP = 1024  # items that are listed at a time, so that no worker waits long for an answer


class Chunk(NamedTuple):
    """Items that are handed out together."""

    items: Sequence[Item]
    tried: bool = False  # a worker has died of it


class Backlog:
    """Cuts what a source lists into chunks."""

    def __init__(self, items: Iterable[Item]) -> None:
        """Take ``items``, of which none is listed yet."""
        self._items = iter(items)
        self._waiting: deque[Item] = deque()
        self._size = 0  # of what waits
        self.blobs = 0
        self.bytes = 0
        self.done = False

    def are_few(self) -> bool:
        """Say whether all there is to scan is not worth a worker."""
        while not self.done and self._size < _FIRST_BYTES and len(self._waiting) < _FIRST_ITEMS:
            self._list(1)
        return self.done

    def list_more(self) -> bool:
        """List some more; says False where nothing is left to list, or enough waits."""
        if self.done or len(self._waiting) >= _AHEAD:
            return False
        self._list(_STEP)
        return True

    def chunk(self, workers: int) -> Chunk | None:
        """Cut off what one of ``workers`` is to do next; None where nothing is left."""
        while not (self._waiting or self.done):
            self._list(_STEP)
        return self._cut(_SHARES * workers) if self._waiting else None

    def chunks(self) -> Iterator[Chunk]:
        """Give all in large chunks, in the order of the list."""
        while True:
            while not self.done and self._size < _MOST_BYTES and len(self._waiting) < _MOST_ITEMS:
                self._list(_STEP)
            if not self._waiting:
                return
            yield self._cut(1)

    def _list(self, count: int) -> None:
        new = list(islice(self._items, count))
        size = sum([item.size for item in new])
        self._waiting += new
        self.done = len(new) < count
        self.blobs += len(new)
        self.bytes += size
        self._size += size

    def _cut(self, shares: int) -> Chunk:
        waiting = self._waiting
        most_items = min(_MOST_ITEMS, max(_LEAST_ITEMS, len(waiting) // shares))
        most_bytes = min(_MOST_BYTES, max(_LEAST_BYTES, self._size // shares))
        last_first = self.done and shares > 1
        take = waiting.pop if last_first else waiting.popleft
        items: list[Item] = []
        size = 0
        while waiting and len(items) < most_items and size < most_bytes:
            items.append(item := take())
            size += item.size
        self._size -= size
        if last_first:
            items.reverse()
        return Chunk(items)
