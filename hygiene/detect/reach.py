"""How far apart two ends of one match can be: what lies beyond a barrier of text has no say in what matches here.

Most patterns are short. Some repeat without an end, but only within a line, or over blanks and marks. A stretch of
text that is long enough, and has more than a line or two of other bytes, is therefore a barrier that no match of
theirs can span. The few patterns that can span any text (private keys) are told apart: a text without their words
holds no match of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hygiene.detect.match import Pattern
from hygiene.detect.syntax import Node, parse_pattern

LONGEST = 512  # bytes that a short pattern spans
_BYTES, _STRETCHES = 320, 9  # what a pattern with repeats may span beside, and how many of them
_SHORT = 40  # times; more often repeated, a part that stays within a line counts as a stretch
_FAST_GAP = 160  # what the simpler form of a pattern allows between a word and a value (see hygiene.detect.pattern)
_LIGHT = b" \t\r\f\v!:=>(|{["  # blanks and marks that rules repeat over line breaks: no part of a barrier's bytes
_LIGHT_OR_NEWLINE = sum(1 << byte for byte in _LIGHT + b"\n")
_NEWLINE = 1 << 10
_PROBES = (1536, 3 << 10, 6 << 10)  # lengths of text that are tried as a barrier: of code, most are one at the first


class _Span(NamedTuple):
    """What a part of a pattern can match: so many bytes, and stretches of any length within one line, or light."""

    bytes: int
    stretches: int


def far_words(patterns: Sequence[Pattern]) -> tuple[bytes, ...]:
    """Give the words (lower case) of the patterns that no barrier stops; raises ValueError for one without words."""
    words: set[bytes] = set()
    for pattern in patterns:
        if not _is_near(pattern):
            if not pattern.keywords:
                raise ValueError(f"{pattern.id} may match any text")
            words.update(pattern.keywords)
    return tuple(sorted(words))


def _is_near(pattern: Pattern) -> bool:
    if pattern.width + (_FAST_GAP if pattern.fast else 0) <= LONGEST:
        return True
    span = _span(parse_pattern(pattern.fast or pattern.pattern))
    if span is None:
        return False
    return span.bytes <= (_BYTES if span.stretches else LONGEST) and span.stretches <= _STRETCHES


def _span(node: Node) -> _Span | None:
    """Give what ``node`` spans, or None where that may be any text."""
    if node.kind in ("set", "anchor"):
        return _Span(int(node.kind == "set"), 0)
    if node.kind == "repeat" and not 0 <= node.most <= _SHORT and _stays_near(_mask(node)):
        return _Span(0, 1)
    inner = [_span(part) for part in node.parts]
    spans = [span for span in inner if span is not None]
    if len(spans) < len(inner) or node.most < 0:
        return None
    if node.kind == "repeat":
        return _Span(spans[0].bytes * node.most, spans[0].stretches * node.most)
    join = max if node.kind == "alt" else sum
    return _Span(join(span.bytes for span in spans), join(span.stretches for span in spans))


def _stays_near(mask: int) -> bool:
    """Say whether what repeats the bytes of ``mask`` stays within a line, or within blanks and marks."""
    return not mask & _NEWLINE or not mask & ~_LIGHT_OR_NEWLINE


def _mask(node: Node) -> int:
    """Give all bytes that ``node`` can match, one bit each."""
    mask = node.mask
    for part in node.parts:
        mask |= _mask(part)
    return mask


def is_barrier(text: bytes) -> bool:
    """Say whether no near pattern matches from before ``text`` to behind it."""
    if len(text) <= LONGEST:
        return False
    lines = sorted(map(len, text.translate(None, _LIGHT).split(b"\n")))
    return sum(lines[:-_STRETCHES]) > _BYTES


def barrier_end(data: bytes, start: int, end: int) -> int:
    """Give where a barrier that begins at ``start`` ends, or -1 where there is none before ``end``."""
    for length in _PROBES:
        if start + length > end:
            return -1
        if is_barrier(data[start : start + length]):
            return start + length
    return -1


def barrier_start(data: bytes, end: int) -> int:
    """Give where a barrier that ends at ``end`` begins; 0, which is as good as one, where there is none."""
    for length in _PROBES:
        if length >= end:
            return 0
        if is_barrier(data[end - length : end]):
            return end - length
    return 0
