"""Inline marks: a person's word, beside the value, that it may stay. Ours, and the peers'.

``hygiene: allow RULE reason=…`` counts on the value's line or the line above it. A mark may also name the fingerprint
(``hygiene: allow RULE v1:0123abcd reason=…``): then another value that is put in its place is found again. Marks are
looked for only where something matched.
"""

from __future__ import annotations

from typing import NamedTuple

from hygiene.detect import regex as re

_OURS = re.compile(rb"hygiene:\s{0,8}allow(?P<words>[^\r\n\0]{0,300})")
_REASON = re.compile(rb"\breason\s{0,4}=\s{0,4}(?P<reason>[^\r\n\0]{1,200})")
_PEERS = re.compile(
    rb"pragma:\s{0,4}(?:allow|white)list\s{1,4}secret|(?:git|better)leaks:allow|(?:trufflehog|kingfisher):ignore|"
    rb"\bggignore\b|#\s{0,4}nosec\b|\bnosemgrep\b"
)
_PEERS_NEXT = re.compile(rb"pragma:\s{0,4}(?:allow|white)list\s{1,4}nextline\s{1,4}secret|\bggignore-next\b")
_COMMENT_ENDS = b" \t\r\n*/->#\"'"
_LONGEST_LINE = 2000  # bytes on each side of the value that are searched


class Mark(NamedTuple):
    """A mark that covers a value."""

    reason: str


def find_mark(data: bytes, start: int, end: int, rule: str, fingerprint: str) -> Mark | None:
    """Give the mark that covers the value of ``rule`` at ``data[start:end]``, if any."""
    line_start = data.rfind(b"\n", max(0, start - _LONGEST_LINE), start) + 1
    line_start = line_start or max(0, start - _LONGEST_LINE)
    line_end = data.find(b"\n", end, end + _LONGEST_LINE)
    line_end = min(len(data), end + _LONGEST_LINE) if line_end < 0 else line_end
    above = data[max(data.rfind(b"\n", 0, max(0, line_start - 1)) + 1, line_start - _LONGEST_LINE) : line_start]
    line = data[line_start:start] + b"\0" + data[end:line_end]  # the value itself is no mark
    return (
        _ours(line, rule, fingerprint)
        or _ours(above, rule, fingerprint)
        or (Mark("marked for another scanner") if _PEERS.search(line) or _PEERS_NEXT.search(above) else None)
    )


def _ours(line: bytes, rule: str, fingerprint: str) -> Mark | None:
    found = _OURS.search(line)
    reason = _REASON.search(found["words"]) if found else None
    if found is None or reason is None:  # a mark without a reason does not count
        return None
    named = found["words"][: reason.start()].decode("ascii", "replace").split()
    rules = [word for word in named if ":" not in word]
    values = [word for word in named if ":" in word]
    if not rules or not (rule in rules or "*" in rules):
        return None
    if values and not any(len(value) >= 8 and fingerprint.startswith(value) for value in values):
        return None
    return Mark(reason["reason"].rstrip(_COMMENT_ENDS).decode("utf-8", "replace"))
