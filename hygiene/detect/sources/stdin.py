"""Standard input: plain bytes, or a patch, of which only the added lines are read, each at its place in its file."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import IO

from hygiene.detect.sources.patch import is_patch, patch_blobs
from hygiene.detect.sources.protocol import WINDOW, Blob, Item
from hygiene.detect.sources.windows import windows
from hygiene.finding import Provenance, Skipped

_ID = "stdin:"


class StdinSource:
    """What is piped in. Read by the process that owns the pipe, and once."""

    commits = 0

    def __init__(self, stream: IO[bytes] | None = None, *, name: str = "-") -> None:
        """Read ``stream`` (standard input where None); ``name`` stands for its path."""
        self._stream = sys.stdin.buffer if stream is None else stream
        self._name = name
        self._skipped: list[Skipped] = []

    def items(self) -> Iterable[Item]:
        """List the one item."""
        return [Item(_ID, 0, self._name)]

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes, or a blob for each run of added lines of a patch."""
        if not items:
            return
        head = self._stream.read(WINDOW)
        if is_patch(head):
            yield from patch_blobs(head, self._stream, _ID, self._skipped)
        else:
            yield from windows(_Joined(head, self._stream).read, _ID, self._name)

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give standard input, or the file that the patch changes, as the place of ``ids``."""
        return {name: (Provenance("stdin", name.removeprefix(_ID) or self._name),) for name in ids}

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        found, self._skipped = self._skipped, []
        return found


class _Joined:
    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def read(self, count: int) -> bytes:
        """Give at most ``count`` bytes."""
        if self._head:
            data, self._head = self._head[:count], self._head[count:]
            return data
        return self._rest.read(count)
