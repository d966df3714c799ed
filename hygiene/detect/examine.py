"""One blob → what is worth a person's time in it. Runs in the workers; pure but for the engine's buffers.

The order: match, drop what a rule excludes and plain placeholders, check the checksum, resolve overlaps (one secret,
one finding, the most specific rule), name and place it, look for a mark beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from hygiene.detect.fingerprint import fingerprint
from hygiene.detect.globs import matches_any
from hygiene.detect.known import is_placeholder, is_reference
from hygiene.detect.lines import position
from hygiene.detect.marks import find_mark
from hygiene.detect.match import Engine, Match, Pattern
from hygiene.detect.sources.protocol import OVERLAP, WINDOW, Blob
from hygiene.finding import CONFIDENCES

# name of a checksum, secret, the text around it → passed, failed, or None: can't say
Check = Callable[[str, bytes, bytes], bool | None]
_AROUND = 512  # bytes on each side that a checksum may look at


class Hit(NamedTuple):
    """A finding on its way from a worker: plain values only, since it is marshalled. It holds the value itself."""

    blob: str
    path: str
    rule: int
    start: int
    end: int
    line_start: int
    column_start: int
    line_end: int
    column_end: int
    secret: bytes
    fingerprint: str
    confidence: str
    reasons: tuple[str, ...]
    encoding: str
    allowed: str  # the reason of the mark beside it, or ""


class _Candidate(NamedTuple):
    rule: int
    start: int
    end: int
    confidence: str
    reasons: tuple[str, ...]


class Examiner:
    """Examines blobs with one engine, for one repository's key."""

    def __init__(self, engine: Engine, check: Check, key: Callable[[], bytes], min_confidence: str) -> None:
        """Report from ``min_confidence`` upwards; ``check`` runs a checksum.

        ``key`` gives the repository's key, which names leaks; it is asked for at the first one, since finding it takes
        a call of git.
        """
        self._engine = engine
        self._matches = engine.matches
        self.patterns = engine.patterns
        self._check = check
        self._key = key
        self._least = CONFIDENCES.index(min_confidence)

    def examine_all(self, blobs: Iterable[Blob]) -> Iterator[Hit]:
        """Examine ``blobs``, which may be windows of longer objects; what lies in an overlap is given once."""
        tail: list[Hit] = []  # hits that the next window of the same object will see again, and better
        tail_of = ""
        for blob in blobs:
            if tail and blob.id != tail_of:
                yield from tail
            tail = []
            hits = self.examine(blob)
            if not hits or len(blob.data) < WINDOW:
                yield from hits
                continue
            border = blob.start + len(blob.data) - OVERLAP
            tail_of = blob.id
            for hit in hits:
                if hit.start < border:
                    yield hit
                else:
                    tail.append(hit)
        yield from tail

    def examine(self, blob: Blob) -> list[Hit]:
        """Give the hits in one blob, or in one window of it, in the order of their place."""
        matches = self._matches(blob.data)
        if not matches:
            return []
        candidates = [kept for match in matches if (kept := self._judge(match, blob))]
        return [self._hit(candidate, blob) for candidate in self._without_overlaps(candidates)]

    def _judge(self, match: Match, blob: Blob) -> _Candidate | None:
        pattern = self.patterns[match.rule]
        secret = blob.data[match.secret_start : match.secret_end]
        if pattern.exclude_paths and matches_any(blob.path, pattern.exclude_paths):
            return None
        if any(_compiled(value).search(secret) for value in pattern.exclude_values):
            return None
        if is_placeholder(secret) or is_reference(secret):
            return None
        around = blob.data[max(0, match.secret_start - _AROUND) : match.secret_end + _AROUND]
        confidence, reasons = self._checked(pattern, secret, around)
        return _Candidate(match.rule, match.secret_start, match.secret_end, confidence, reasons)

    def _checked(self, pattern: Pattern, secret: bytes, around: bytes) -> tuple[str, tuple[str, ...]]:
        """Give the confidence after the checksum, and why."""
        verdict = self._check(pattern.checksum, secret, around) if pattern.checksum else None
        if verdict is None:
            return pattern.confidence, ()
        if verdict:
            return "high", (f"checksum {pattern.checksum} holds",)
        return "low", (f"checksum {pattern.checksum} fails",)

    def _without_overlaps(self, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        kept: list[_Candidate] = []
        for candidate in sorted(candidates, key=self._rank):
            if all(candidate.end <= other.start or other.end <= candidate.start for other in kept):
                kept.append(candidate)
        shown = [candidate for candidate in kept if CONFIDENCES.index(candidate.confidence) >= self._least]
        return sorted(shown, key=lambda candidate: candidate.start)

    def _rank(self, candidate: _Candidate) -> tuple[bool, int, int, int, int, str]:
        pattern = self.patterns[candidate.rule]
        confidence = CONFIDENCES.index(candidate.confidence)
        length = candidate.end - candidate.start
        return pattern.generic, -pattern.priority, -confidence, -length, candidate.start, pattern.id

    def _hit(self, candidate: _Candidate, blob: Blob) -> Hit:
        pattern = self.patterns[candidate.rule]
        start, end = candidate.start, candidate.end
        secret = blob.data[start:end]
        name = fingerprint(self._key(), pattern.family or pattern.id, secret)
        line, column = position(blob.data, start, blob.line, blob.column)
        line_end, column_end = position(secret, len(secret), line, column)
        mark = find_mark(blob.data, start, end, pattern.id, name)
        return Hit(
            blob=blob.id,
            path=blob.path,
            rule=candidate.rule,
            start=blob.start + start,
            end=blob.start + end,
            line_start=line,
            column_start=column,
            line_end=line_end,
            column_end=column_end,
            secret=secret,
            fingerprint=name,
            confidence=candidate.confidence,
            reasons=candidate.reasons,
            encoding="",
            allowed=mark.reason if mark else "",
        )


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())
