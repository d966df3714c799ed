"""Matching versions of a file: only what changed is scanned, the rest is known from the version before.

What the engine reports of a place depends on a stretch of text around it, never on the whole
(``hygiene.detect.reach`` says on how much). So where a source tells which parts of a blob stand in another one, too,
the engine's reports for the inside of those parts are taken over, and only what lies between is scanned, with a
barrier of text before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from hygiene.detect.engine import Event, HyperscanEngine, word_finder
from hygiene.detect.match import Hit, Match
from hygiene.detect.reach import barrier_end, barrier_start, far_words
from hygiene.detect.sources.protocol import Blob, Kin

_MOST_KEPT = 250_000  # events of versions that are kept; some 30 MB
_LEAST = 256  # bytes of an unchanged part that are worth a scan in two pieces

Examine = Callable[[Blob, list[Match]], list[Hit]]


class _Version(NamedTuple):
    """What the engine reported of a blob, in order."""

    events: Sequence[Event]
    size: int
    is_far: bool


class Versions:
    """Finds what is in blobs that come with what they have in common with others."""

    def __init__(self, engine: HyperscanEngine) -> None:
        """Match with ``engine``."""
        self._engine = engine
        self._holds_far_word: Callable[[bytes], bool] = word_finder(far_words(engine.patterns))
        self._known: OrderedDict[Hashable, _Version] = OrderedDict()
        self._kept = 0  # events

    def hits(self, blob: Blob, kin: Kin, examine: Examine) -> list[Hit]:
        """Give what ``examine`` makes of the matches in ``blob``."""
        version = self._version(blob, kin)
        if version is None:
            return examine(blob, self._engine.matches(blob.data))
        self._keep(kin.key, version)
        return examine(blob, self._engine.matches_at(blob.data, version.events)) if version.events else []

    def _keep(self, key: Hashable, version: _Version) -> None:
        if key is None:
            return
        self._known[key] = version
        self._kept += 4 + len(version.events)
        while self._kept > _MOST_KEPT:
            _key, oldest = self._known.popitem(last=False)
            self._kept -= 4 + len(oldest.events)

    def _version(self, blob: Blob, kin: Kin) -> _Version | None:
        """Give what the engine reports of ``blob``; None where that is too much to be kept."""
        base = self._known.get(kin.base) if kin.copies else None
        if base is not None and not base.is_far:
            self._known.move_to_end(kin.base)
            version = _Difference(self._engine, self._holds_far_word, blob.data, base).version(kin.copies)
            if version is not None:
                return version
        events = self._engine.events(blob.data)
        return None if events is None else _Version(events, len(blob.data), self._holds_far_word(blob.data))


class _Difference:
    """Finds the events of a blob from those of another version."""

    def __init__(
        self, engine: HyperscanEngine, holds_far_word: Callable[[bytes], bool], data: bytes, base: _Version
    ) -> None:
        self._scan_whole = engine.events
        self._holds_far_word = holds_far_word
        self._data = data
        self._base = base
        self._events: list[Event] = []

    def version(self, copies: Sequence[tuple[int, int, int]]) -> _Version | None:
        """Give the version whose parts ``copies`` stand in the base; None where all has to be scanned."""
        data, size = self._data, len(self._data)
        done = 0  # ends before this are accounted for
        for begin, length, there in copies:
            # An end is decided by the text before it, up to a barrier, and by the two bytes after it.
            first = 0 if begin == there == 0 else barrier_end(data, begin, begin + length)
            whole_tail = begin + length == size and there + length == self._base.size
            last = size if whole_tail else begin + length - 2
            if first < 0 or last - first < _LEAST:
                continue
            if done < first and not self._scan(done, first - 1):
                return None
            self._events += _moved(self._base.events, first, last, begin - there)
            done = last + 1
        if done <= size and not self._scan(done, size):
            return None
        return _Version(self._events, size, is_far=False)

    def _scan(self, first: int, last: int) -> bool:
        """Find the events from ``first`` to ``last``; says whether that could be done."""
        start, stop = barrier_start(self._data, first), min(len(self._data), last + 2)
        piece = self._data[start:stop]
        events = self._scan_whole(piece)
        if events is None or self._holds_far_word(piece):
            return False
        self._events += [(end + start, rule) for end, rule in events if first <= end + start <= last]
        return True


def _moved(events: Sequence[Event], first: int, last: int, by: int) -> list[Event]:
    """Give the ``events`` that end from ``first`` to ``last`` when moved by so many bytes."""
    low, high = bisect_left(events, (first - by, -1)), bisect_left(events, (last + 1 - by, -1))
    return [(end + by, rule) for end, rule in events[low:high]] if by else list(events[low:high])
