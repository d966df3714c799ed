"""Does a value look drawn at random? For tokens that only a name nearby tells from other text.

Thresholds lie at the first percentile of random strings of the same length and alphabet, so that one
genuine token in a hundred is lost to each at most.
"""

from __future__ import annotations

import math
import re
from collections import Counter

_HEX = re.compile(rb"[0-9a-fA-F-]+")
_CAMEL_WORD = re.compile(rb"[A-Z]?[a-z]{4,}|[A-Z]{5,}")
_NOT_ALNUM = re.compile(rb"[^0-9A-Za-z]+")
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF-")
_HEX_SHARE = 0.85  # a prefix may stand before the digits
_WORD_SHARE = 0.6
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
    words = sum(len(word) for word in _CAMEL_WORD.findall(value))
    return False if words > _WORD_SHARE * len(value) else None


def entropy(value: bytes) -> float:
    """Shannon entropy in bits per byte."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values()) if size else 0.0


def least_entropy(value: bytes) -> float:
    """The entropy that 99 of 100 random strings of this length and alphabet reach."""
    digits = sum(byte in _HEX_DIGITS for byte in value)
    size = 16 if digits > _HEX_SHARE * len(value) else 36 if value in (value.lower(), value.upper()) else 62
    expected = math.log2(size) - (size - 1) / (2 * math.log(2) * len(value))  # Miller and Madow's bias
    return min(expected, math.log2(len(value))) - 2.2 / math.sqrt(len(value))


def _body(value: bytes) -> bytes:
    """The drawn part of a value with a prefix, such as the digits of ``sk-0a1b…``."""
    longest = max(_NOT_ALNUM.split(value), key=len)
    return longest if len(longest) > _BODY_SHARE * len(value) else value


def _has_both_kinds(value: bytes) -> bool:
    digits = sum(48 <= byte <= 57 for byte in value)
    return 0 < digits < len(value) - value.count(b"-")
