"""The stand-in where the ``hyperscan`` wheel is missing: the same matches by Python's ``re``, slowly.

A prefilter looks for all keywords in one pass (Aho-Corasick, where its library is there); only rules whose keyword
occurs are searched for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from hygiene.detect.match import Match, Pattern
from hygiene.detect.spans import Spans

try:
    from ahocorasick_rs import BytesAhoCorasick
except ImportError:  # the wheel exists for fewer platforms than Python does
    BytesAhoCorasick = None  # type: ignore[assignment,misc]

NAME = "re 1"


class ReEngine:
    """Finds what :class:`hygiene.detect.engine.HyperscanEngine` finds."""

    name = NAME

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Serve ``patterns``."""
        self.patterns = patterns
        self._spans = Spans(patterns)
        self._always = [rule for rule, pattern in enumerate(patterns) if not pattern.keywords]
        self._rules: dict[bytes, list[int]] = defaultdict(list)
        for rule, pattern in enumerate(patterns):
            for keyword in pattern.keywords:
                self._rules[keyword].append(rule)
        self._present = _keyword_finder(list(self._rules))

    def matches(self, data: bytes) -> list[Match]:
        """Give all matches in ``data``, ordered by rule, then by place."""
        rules = set(self._always)
        for keyword in self._present(data.lower()):
            rules.update(self._rules[keyword])
        return [match for rule in sorted(rules) for match in self._of(rule, data)]

    def _of(self, rule: int, data: bytes) -> list[Match]:
        if self.patterns[rule].generic:
            return [Match(rule, end, end, end, end) for end in self._spans.ends(data, rule)]
        return self._spans.within(data, rule, 0, len(data))


class DamagedDatabase(Exception):
    """Never raised: this engine has no database."""


def open_engine(patterns: Sequence[Pattern], _database: bytes) -> ReEngine:
    """Give the engine; it needs no database."""
    return ReEngine(patterns)


def compile_database(_patterns: Sequence[Pattern]) -> bytes:
    """Give the empty database."""
    return b""


def _keyword_finder(keywords: list[bytes]) -> Callable[[bytes], Iterable[bytes]]:
    if not keywords:
        return lambda _data: ()
    if BytesAhoCorasick is None:
        return lambda data: (keyword for keyword in keywords if keyword in data)
    automaton = BytesAhoCorasick(keywords)

    def find(data: bytes) -> set[bytes]:
        hits = automaton.find_matches_as_indexes(data, overlapping=True)
        return {keywords[index] for index, _start, _end in hits}

    return find
