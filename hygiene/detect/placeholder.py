"""Values of a token's shape that plainly are none: repeated letters, counted digits, words that say so."""

from __future__ import annotations

import re

_WORDS = re.compile(
    rb"example|placeholder|changeme|your[-_]?(?:token|key|secret|api|access|own)|redacted|dummy|insert[-_]|"
    rb"replace[-_]?(?:me|with)|not[-_]?a[-_]?real|x{6}|\*{4}|\.{4}|_{6}|<[a-z]",
    re.IGNORECASE,
)
_RUNS = (
    b"0123456789012345678901234567890123456789",
    b"1234567890123456789012345678901234567890",
    b"9876543210987654321098765432109876543210",
    b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    b"0123456789abcdef0123456789abcdef0123456789abcdef",
)
_RUN = 10  # so many bytes in a counted order come about once in 10^15 random values
_MIN_DISTINCT = 5
_LONG = 16
_LONGEST = 512


def is_placeholder(secret: bytes) -> bool:
    """Say whether ``secret``, of a known token's shape, can't be one that a machine generated."""
    if len(secret) > _LONGEST or b"://" in secret:  # keys in blocks, and URLs, whose host may well be an example
        return False
    if _WORDS.search(secret):
        return True
    lowered = secret.lower()
    if len(secret) >= _LONG and len(set(lowered)) < _MIN_DISTINCT:
        return True
    return any(lowered[at : at + _RUN] in run for at in range(len(lowered) - _RUN + 1) for run in _RUNS)
