"""From the ends that Hyperscan reports to spans and groups, by Python's ``re``.

Hyperscan says where a match ends, not where it began. Every span that ``re`` finds ends at a reported
end, and no match is longer than its pattern's width; so searching a window that reaches one width beyond
the reported ends on both sides gives exactly what a search of the whole text gives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from hygiene.detect.match import CLOSE, NEAR, Match, Pattern

_REMEMBERED = 2 << 10  # bytes of a window whose matches are remembered
_MOST_KNOWN = 10_000  # windows; some 10 MB


class _Window(NamedTuple):
    """All that decides on the matches of a rule between two ends."""

    rule: int
    text: bytes
    first_end: int
    last_end: int
    at_start: bool
    at_end: bool


class Spans:
    """Recovers spans; compiles each rule's expression at its first hit."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Serve ``patterns``, which matches name by their index."""
        self._patterns = patterns
        self._compiled: dict[int, re.Pattern[bytes]] = {}
        self._known: dict[_Window, list[Match]] = {}

    def within(self, data: bytes, rule: int, first_end: int, last_end: int) -> list[Match]:
        """Give the matches of ``rule`` in ``data`` that end between the two offsets, both included."""
        width = self._patterns[rule].width
        start = max(0, first_end - width - NEAR)
        limit = min(len(data), last_end + width + 2)  # beyond it no match that starts in time can reach
        if limit - start > _REMEMBERED:
            return self._search(data, rule, (first_end, last_end))
        # In a history the same text stands in version after version: it is searched once.
        window = _Window(rule, data[start:limit], first_end - start, last_end - start, start == 0, limit == len(data))
        known = self._known.get(window)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._search(data, rule, (first_end, last_end))
            known = self._known[window] = [_moved(match, -start) for match in found]
        return [_moved(match, start) for match in known]

    def _search(self, data: bytes, rule: int, ends: tuple[int, int]) -> list[Match]:
        pattern, (first_end, last_end) = self._patterns[rule], ends
        search = self._expression(rule).search
        position = max(0, first_end - pattern.width)
        limit = min(len(data), last_end + pattern.width + 2)
        found = []
        while match := search(data, position, limit):
            if match.end() > last_end:
                break
            secret_start, secret_end = match.span(1 if match.re.groups and match.start(1) >= 0 else 0)
            if match.end() >= first_end and _has_keyword(pattern.keywords, data, match.start(), match.end()):
                found.append(Match(rule, match.start(), match.end(), secret_start, secret_end))
            # Neighbours may share a separator, so the next search begins where the secret ends.
            position = max(secret_end, match.start() + 1)
        return found

    def ends(self, data: bytes, rule: int) -> list[int]:
        """Give where the matches of a generic rule end, also of those that overlap."""
        search = self._expression(rule).search
        position, found = 0, [-CLOSE - 1]
        while match := search(data, position):
            if match.end() - found[-1] > CLOSE:
                found.append(match.end())
            position = match.start() + 1
        return found[1:]

    def _expression(self, rule: int) -> re.Pattern[bytes]:
        compiled = self._compiled.get(rule)
        if compiled is None:
            compiled = self._compiled[rule] = re.compile(self._patterns[rule].pattern)
        return compiled


def _moved(match: Match, by: int) -> Match:
    rule, start, end, secret_start, secret_end = match
    return Match(rule, start + by, end + by, secret_start + by, secret_end + by)


def _has_keyword(keywords: tuple[bytes, ...], data: bytes, start: int, end: int) -> bool:
    if not keywords:
        return True
    text = data[max(0, start - NEAR) : end].lower()
    return any(keyword in text for keyword in keywords)
