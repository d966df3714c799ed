"""The matching engine: all rules at once over the bytes of a blob, by Hyperscan in block mode.

A clean blob costs one call and no Python code. For the slower stand-in see ``engine_re``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import hyperscan
from hyperscan._version import __version__

from hygiene.detect.match import CLOSE, Match, Pattern
from hygiene.detect.spans import Spans
from hygiene.errors import ConfigError

NAME = f"hyperscan {__version__}"


_MOST_EVENTS = 20_000  # of one blob that are kept in memory

Event = tuple[int, int]  # where a match ends, and of which rule


class HyperscanEngine:
    """The engine of choice; not for use by two threads at once."""

    name = NAME

    def __init__(self, patterns: Sequence[Pattern], database: bytes) -> None:
        """Serve ``patterns`` by the serialised ``database`` that :func:`compile_database` made of them.

        Raises :class:`hyperscan.HyperscanError` when it was made by another version or for another CPU.
        """
        self.patterns = patterns
        self._spans = Spans(patterns)
        self._widths = [pattern.width for pattern in patterns]
        self._ends: dict[int, list[int]] = {}
        self.generic = frozenset(rule for rule, pattern in enumerate(patterns) if pattern.generic)
        self._database = hyperscan.loadb(database, hyperscan.HS_MODE_BLOCK)
        self._database.scratch = hyperscan.Scratch(self._database)
        self._scan = self._database.scan

    def matches(self, data: bytes) -> list[Match]:
        """Give all matches in ``data``, ordered by rule, then by place."""
        self._scan(data, self._on_match)
        return self._found(data) if self._ends else []

    def events(self, data: bytes) -> list[Event] | None:
        """Give where the engine says that rules match in ``data``, in order, each once; None where that is too often.

        Whether there is such an event depends on the text around its place only.
        """
        found: list[Event] = []

        def add(rule: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            found.append((end, rule))
            return len(found) > _MOST_EVENTS

        try:
            self._scan(data, add)
        except hyperscan.ScanTerminated:
            return None
        return sorted(set(found)) if len(found) > 1 else found

    def matches_at(self, data: bytes, events: Iterable[Event]) -> list[Match]:
        """Give the matches in ``data``, of which :meth:`events` gave ``events``."""
        for end, rule in events:
            self._on_match(rule, 0, end, 0, None)
        return self._found(data) if self._ends else []

    def _found(self, data: bytes) -> list[Match]:
        ends = self._ends
        found = []
        for rule in sorted(ends):
            runs = ends[rule]
            if rule in self.generic:
                found += [Match(rule, end, end, end, end) for end in runs]
                continue
            for index in range(0, len(runs), 2):
                found += self._spans.within(data, rule, runs[index], runs[index + 1])
        ends.clear()
        return found

    def _on_match(self, rule: int, _start: int, end: int, _flags: int, _context: object) -> None:
        # Ends closer than a width are one run, kept as its first and last: a hostile blob of a million
        # matches costs two numbers.
        runs = self._ends.get(rule)
        if runs is None:
            self._ends[rule] = [end] if rule in self.generic else [end, end]
        elif rule in self.generic:
            if end - runs[-1] > CLOSE:
                runs.append(end)
            elif end < runs[-1] and (len(runs) == 1 or end - runs[-2] > CLOSE):  # as below
                runs[-1] = end
        elif end <= runs[-1]:  # only at the very end: before and after a last line feed
            runs[-2] = min(runs[-2], end)
        elif end - runs[-1] <= self._widths[rule]:
            runs[-1] = end
        else:
            runs += (end, end)


open_engine = HyperscanEngine
DamagedDatabase = hyperscan.HyperscanError


def word_finder(words: Sequence[bytes]) -> Callable[[bytes], bool]:
    """Give what says whether a text holds one of ``words``, in capitals or not."""
    if not words:
        return lambda _data: False
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    expressions = [re.escape(word) for word in words]
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
    database.compile(expressions=expressions, ids=list(range(len(words))), elements=len(words), flags=flags)

    def holds(data: bytes) -> bool:
        found: list[int] = []
        database.scan(data, lambda rule, *_rest: found.append(rule))
        return bool(found)

    return holds


def compile_database(patterns: Sequence[Pattern]) -> bytes:
    """Compile ``patterns`` into a serialised database for this CPU; takes seconds for hundreds.

    Raises :class:`ConfigError` naming the rule that Hyperscan refuses.
    """
    try:
        return _compile(patterns)
    except hyperscan.HyperscanError as error:
        for pattern in patterns:
            _check(pattern)
        raise ConfigError(f"the rules can't be compiled together: {error}") from error


def _compile(patterns: Sequence[Pattern]) -> bytes:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    expressions = [pattern.fast or pattern.pattern for pattern in patterns]
    database.compile(expressions=expressions, ids=list(range(len(patterns))), elements=len(patterns), flags=0)
    return hyperscan.dumpb(database)


def _check(pattern: Pattern) -> None:
    try:
        _compile([pattern])
    except hyperscan.HyperscanError as error:
        raise ConfigError(
            f"rule {pattern.id}: Hyperscan refuses its pattern: {error}",
            hint="use the syntax that Hyperscan and Python's re share: no look-around, no back-references",
        ) from error
