"""Does a value look drawn at random? For tokens that only a name nearby tells from other text.

The threshold is what 199 of 200 random strings of the same length and alphabet reach.
"""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections import Counter

_HEX = re.compile(rb"[0-9a-fA-F-]+")
_MIXED_WORD = re.compile(rb"[A-Z]?[a-z]{4,}|[A-Z]{5,}")
_PLAIN_WORD = re.compile(rb"[a-z]{7,}|[A-Z]{7,}")  # in one case, random letters run longer
_LENGTHS = (12, 16, 20, 24, 32, 40, 64, 128)
_LEAST = {  # by alphabet, for each of these lengths
    16: (2.21, 2.58, 2.83, 2.93, 3.18, 3.35, 3.58, 3.79),
    36: (2.73, 3.06, 3.33, 3.53, 3.84, 4.05, 4.41, 4.79),
    62: (2.84, 3.26, 3.56, 3.78, 4.14, 4.39, 4.87, 5.37),
}
_NOT_ALNUM = re.compile(rb"[^0-9A-Za-z]+")
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF-")
_HEX_SHARE = 0.85  # a prefix may stand before the digits
_WORD_SHARE = 0.6
_PLAIN_SHARE = 0.8
_BODY_SHARE = 0.6
_DIGITS_EXPECTED_FROM = 24


def check_random(value: bytes) -> bool | None:
    """False for a value that was written rather than drawn; a plausible one can't be told from a live one: None."""
    value = _body(value)
    if len(value) < 12:
        return None
    if entropy(value) < least_entropy(value):
        return False
    if _HEX.fullmatch(value):
        return None if _has_both_kinds(value) else False
    if len(value) >= _DIGITS_EXPECTED_FROM and not any(48 <= byte <= 57 for byte in value):
        return False
    plain = value in (value.lower(), value.upper())
    words = sum(map(len, (_PLAIN_WORD if plain else _MIXED_WORD).findall(value)))
    return False if words > (_PLAIN_SHARE if plain else _WORD_SHARE) * len(value) else None


def entropy(value: bytes) -> float:
    """Shannon entropy in bits per byte."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values()) if size else 0.0


def least_entropy(value: bytes) -> float:
    """The entropy that 199 of 200 random strings of this length and alphabet reach, read from a simulated table."""
    digits = sum(byte in _HEX_DIGITS for byte in value)
    size = 16 if digits > _HEX_SHARE * len(value) else 36 if value in (value.lower(), value.upper()) else 62
    row = _LEAST[size]
    place = bisect(_LENGTHS, len(value)) - 1
    if place < 0 or place == len(row) - 1:
        return row[max(place, 0)]
    share = (len(value) - _LENGTHS[place]) / (_LENGTHS[place + 1] - _LENGTHS[place])
    return row[place] + share * (row[place + 1] - row[place])


def _body(value: bytes) -> bytes:
    """The drawn part of a value with a prefix, such as the digits of ``sk-0a1b…``."""
    longest = max(_NOT_ALNUM.split(value), key=len)
    return longest if len(longest) > _BODY_SHARE * len(value) else value


def _has_both_kinds(value: bytes) -> bool:
    digits = sum(48 <= byte <= 57 for byte in value)
    return 0 < digits < len(value) - value.count(b"-")
