"""Matching versions of a file: only what changed is scanned, the rest is known from the version before.

What the engine reports of a place depends on a stretch of text around it, never on the whole (``hygiene.detect.reach``
says on how much). So where a source tells which parts of a blob stand in another one, too, the engine's reports for the
inside of those parts are taken over, and only what lies between is scanned, with a barrier of text before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from hygiene.detect.engine import Event, HyperscanEngine, word_finder
from hygiene.detect.match import Match
from hygiene.detect.reach import barrier_end, barrier_start, far_words
from hygiene.detect.sources.protocol import Kin

_MOST_KEPT = 20_000  # versions whose events are kept
_LEAST = 256  # bytes of an unchanged part that are worth a scan in two pieces


class _Version(NamedTuple):
    """What the engine reported of a blob, in order, and the blob's size."""

    events: Sequence[Event]
    size: int


class Versions:
    """Finds what the engine finds, for blobs that come with what they have in common with others."""

    def __init__(self, engine: HyperscanEngine) -> None:
        """Match with ``engine``."""
        self._engine = engine
        self._is_far: Callable[[bytes], bool] = word_finder(far_words(engine.patterns))
        self._known: OrderedDict[Hashable, _Version] = OrderedDict()

    def matches(self, data: bytes, kin: Kin) -> list[Match]:
        """Give all matches in ``data``, ordered by rule, then by place."""
        base = self._known.get(kin.base) if kin.copies else None
        if base is None or self._is_far(data):
            events = self._engine.events(data)
        else:
            self._known.move_to_end(kin.base)
            events = self._events(data, base, kin.copies)
        if events is None:  # too many to be kept
            return self._engine.matches(data)
        if kin.key is not None:
            self._keep(kin.key, _Version(events, len(data)))
        return self._engine.matches_at(data, events) if events else []

    def _keep(self, key: Hashable, version: _Version) -> None:
        self._known[key] = version
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)

    def _events(self, data: bytes, base: _Version, copies: Sequence[tuple[int, int, int]]) -> list[Event] | None:
        found: list[Event] = []
        done = 0  # ends before this are accounted for
        for begin, length, there in copies:
            # An end is decided by the text before it, up to a barrier, and by the two bytes after it.
            first = 0 if begin == there == 0 else barrier_end(data, begin, begin + length)
            whole_tail = begin + length == len(data) and there + length == base.size
            last = len(data) if whole_tail else begin + length - 2
            if first < 0 or last - first < _LEAST:
                continue
            if done < first and not self._scan(data, done, first - 1, found):
                return None
            by = begin - there
            low, high = bisect_left(base.events, (first - by, -1)), bisect_left(base.events, (last + 1 - by, -1))
            found += [(end + by, rule) for end, rule in base.events[low:high]]
            done = last + 1
        if done <= len(data) and not self._scan(data, done, len(data), found):
            return None
        return found

    def _scan(self, data: bytes, first: int, last: int, found: list[Event]) -> bool:
        """Add to ``found`` the events from ``first`` to ``last``; says whether that could be done."""
        start, stop = barrier_start(data, first), min(len(data), last + 2)
        events = self._engine.events(data[start:stop])
        if events is None:
            return False
        found += [(end + start, rule) for end, rule in events if first <= end + start <= last]
        return True
