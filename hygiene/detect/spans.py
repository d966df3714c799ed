"""From the ends that Hyperscan reports to spans and groups, by Python's ``re``.

Hyperscan says where a match ends, not where it began. Every span that ``re`` finds ends at a reported
end, and no match is longer than its pattern's width; so searching a window that reaches one width beyond
the reported ends on both sides gives exactly what a search of the whole text gives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hygiene.detect.match import CLOSE, NEAR, Match, Pattern


class Spans:
    """Recovers spans; compiles each rule's expression at its first hit."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Serve ``patterns``, which matches name by their index."""
        self._patterns = patterns
        self._compiled: dict[int, re.Pattern[bytes]] = {}

    def within(self, data: bytes, rule: int, first_end: int, last_end: int) -> list[Match]:
        """Give the matches of ``rule`` in ``data`` that end between the two offsets, both included."""
        pattern = self._patterns[rule]
        search = self._expression(rule).search
        position = max(0, first_end - pattern.width)
        limit = min(len(data), last_end + pattern.width + 2)  # beyond it no match that starts in time can reach
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


def _has_keyword(keywords: tuple[bytes, ...], data: bytes, start: int, end: int) -> bool:
    if not keywords:
        return True
    text = data[max(0, start - NEAR) : end].lower()
    return any(keyword in text for keyword in keywords)
