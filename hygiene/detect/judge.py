"""What matched → what is worth a person's time. Pure; imported at the first match of a run.

The order: drop what a rule excludes, placeholders and references to a store; check the checksum; resolve overlaps (one
secret, one finding, the most specific rule); name and place it; look for a mark beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from hygiene.detect.checksum import ANCHORED, DESCRIPTIVE, SHAPES, check_secret
from hygiene.detect.fingerprint import fingerprint
from hygiene.detect.globs import matches_any
from hygiene.detect.known import is_placeholder, is_reference
from hygiene.detect.lines import position
from hygiene.detect.marks import find_mark
from hygiene.detect.match import Hit, Match, Pattern
from hygiene.detect.registry import load_classifier
from hygiene.detect.sources.protocol import Blob
from hygiene.finding import CONFIDENCES

_STRUCTURED = 20  # the priority from which a generic rule stands for a structure of its own, such as a JWT
# Of a credential's exact shape: kept for who asks for low.
_PLACEHOLDER = ("low", ("looks like a placeholder",), "placeholder")
_AROUND = 512  # bytes on each side of a secret that its checksum may look at


class _Candidate(NamedTuple):
    rule: int
    start: int
    end: int
    confidence: str
    reasons: tuple[str, ...]
    failed: str = ""  # "check", or "placeholder"


class Judge:
    """Judges the matches of one set of patterns."""

    def __init__(self, patterns: Sequence[Pattern], key: Callable[[], bytes], min_confidence: str) -> None:
        """Give hits from ``min_confidence`` upwards; ``key`` gives the key of their fingerprints."""
        self._patterns = patterns
        self._key = key
        self._least = CONFIDENCES.index(min_confidence)
        self._generic = {pattern.id: index for index, pattern in enumerate(patterns) if pattern.generic}

    def hits(self, blob: Blob, matches: Iterable[Match]) -> list[Hit]:
        """Give the hits among ``matches`` in ``blob``, in the order of their place."""
        candidates, places = [], []
        for match in matches:
            if self._patterns[match.rule].generic:
                places.append(match.end)
            elif kept := self._candidate(match, blob):
                candidates.append(kept)
        if places:
            candidates += self._guesses(places, blob)
        return [self._hit(candidate, blob) for candidate in self._without_overlaps(candidates)]

    def _candidate(self, match: Match, blob: Blob) -> _Candidate | None:
        pattern = self._patterns[match.rule]
        secret = blob.data[match.secret_start : match.secret_end]
        if self._is_excluded(pattern, blob, match.secret_start, match.secret_end):
            return None
        if is_reference(secret):
            return None
        around = blob.data[max(0, match.secret_start - _AROUND) : match.secret_end + _AROUND]
        confidence, reasons, failed = _PLACEHOLDER if is_placeholder(secret) else _checked(pattern, secret, around)
        return _Candidate(match.rule, match.secret_start, match.secret_end, confidence, reasons, failed)

    def _guesses(self, places: Sequence[int], blob: Blob) -> Iterator[_Candidate]:
        """Let the classifier decide on what stands at ``places``; it names the rule, which may be off."""
        for guess in load_classifier()(blob.data, blob.path, places):
            rule = self._generic.get(guess.rule)
            if rule is not None and not self._is_excluded(self._patterns[rule], blob, guess.start, guess.end):
                yield _Candidate(rule, guess.start, guess.end, guess.confidence, guess.reasons)

    def _is_excluded(self, pattern: Pattern, blob: Blob, start: int, end: int) -> bool:
        if pattern.exclude_paths and matches_any(blob.path, pattern.exclude_paths):
            return True
        secret = blob.data[start:end]
        return any(_compiled(value).search(secret) for value in pattern.exclude_values)

    def _without_overlaps(self, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        kept: list[_Candidate] = []
        for candidate in sorted(candidates, key=self._rank):
            if all(candidate.end <= other.start or other.end <= candidate.start for other in kept):
                kept.append(candidate)
        shown = [candidate for candidate in kept if CONFIDENCES.index(candidate.confidence) >= self._least]
        return sorted(shown, key=lambda candidate: candidate.start)

    def _rank(self, candidate: _Candidate) -> tuple[bool, bool, int, int, int, int, str]:
        # A specific rule whose check failed must not hide another that its secret does pass (one shape of JWT,
        # several issuers); but it still hides a generic one: an edited example is no password either. Unless only
        # the surroundings made it that rule's, or a shape that many values have: then it may be another's credential.
        pattern = self._patterns[candidate.rule]
        confidence = CONFIDENCES.index(candidate.confidence)
        length = candidate.end - candidate.start
        vague = pattern.priority < _STRUCTURED if pattern.generic else candidate.failed == "check" and _is_weak(pattern)
        doubtful = bool(candidate.failed) or (pattern.generic and not confidence)
        return vague, doubtful, -pattern.priority, -confidence, -length, candidate.start, pattern.id

    def _hit(self, candidate: _Candidate, blob: Blob) -> Hit:
        pattern = self._patterns[candidate.rule]
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


def _is_weak(pattern: Pattern) -> bool:
    """Say whether a failed check leaves open that the value is a credential of another kind."""
    return pattern.confidence != "high" or pattern.checksum in SHAPES


def _checked(pattern: Pattern, secret: bytes, around: bytes) -> tuple[str, tuple[str, ...], str]:
    """Give the confidence after the checksum, why, and what failed."""
    verdict = check_secret(pattern.checksum, secret, around)
    if verdict is None:
        return pattern.confidence, (), ""
    if verdict:
        confidence = pattern.confidence if pattern.checksum in DESCRIPTIVE else "high"
        return confidence, (f"checksum {pattern.checksum} holds",), ""
    drawn = pattern.checksum in ANCHORED and _looks_drawn(secret)
    return "medium" if drawn else "low", (f"checksum {pattern.checksum} fails",), "check"


def _looks_drawn(secret: bytes) -> bool:
    """Say whether a token or its second half looks random: the first may be names and numbers in base64."""
    half = secret[len(secret) // 2 :]
    has_digit = any(digit in half for digit in b"0123456789")
    return check_secret("random", secret) is not False or (has_digit and check_secret("random", half) is not False)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())
