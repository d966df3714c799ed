"""Base64 (RFC 4648, standard and URL alphabet; wrapped and indented as in RFC 2045), base32 and hexadecimal."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from hygiene.detect.encodings.trail import Copy, Decoded, Pieces, Radix, Trail

_DIGITS = b"A-Za-z0-9+/_-"
# Between two lines of one wrapped value stand a line feed, or one written out, an indent, quotes, a joining sign.
_BREAK = rb"(?:\\?\r?\n|(?:\\r)?\\n)"
_WRAP = rb"(?:%s[ \t]*|(?:\\n)?[\"'][ \t]*[+.]?[ \t]*\\?\r?\n[ \t]*[+.]?[ \t]*[\"'])" % _BREAK
_VALUE = re.compile(rb"[%s]{16,}(?:(?:%s)[%s]{4,})*={0,2}" % (_DIGITS, _WRAP, _DIGITS))
_VALUE32 = re.compile(rb"[A-Z2-7]{24,}(?:(?:%s)[A-Z2-7]{8,})*={0,6}" % _WRAP)
_BETWEEN = re.compile(_WRAP)
_HEX_VALUE = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}|(?:(?:\\x|0x|%%|\\u00)?[0-9A-Fa-f]{2}[ \t\r\n,;:]{0,40}){8,}")
_HEX_RUN = re.compile(rb"(?:\\x|0x|%|\\u00)?([0-9A-Fa-f]{2})")
_URL = bytes.maketrans(b"-_", b"+/")
_CONTEXT = 100  # bytes of the line before a value, so that its name is seen
_BEFORE = 16 << 10  # how far before a hit its value may begin
_REMEMBERED = 4 << 10  # bytes of a value whose text is remembered
_HEAD = 1 << 10  # digits that decide whether a value is text: most long ones are pictures
_NO_DIGIT = re.compile(rb"[^A-Za-z0-9+/]+")
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\n\r"


def base64_values(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the base64 values of ``data`` that the spans ``hits`` lie in, each once, with the line before them."""
    for start, end in _values(data, hits, _VALUE):
        if found := _remembered(_base64_text, data[start:end]):
            yield _placed(data, start, found, "base64", (4, 3))


def base32_values(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the base32 values (RFC 4648, capitals) of ``data`` that the spans ``hits`` lie in."""
    for start, end in _values(data, hits, _VALUE32):
        if found := _remembered(_base32_text, data[start:end]):
            yield _placed(data, start, found, "base32", (8, 5))


def hex_values(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the hexadecimal values of ``data`` that the spans ``hits`` lie in: bare, ``\\x41``, ``0x41, 0x42``."""
    for start, end in _values(data, hits, _HEX_VALUE):
        if found := _remembered(_hex_text, data[start:end]):
            yield _placed(data, start, found, "hex", (2, 1))


class _Text(NamedTuple):
    """What a value decodes to."""

    first: int  # where in the value its digits begin
    runs: tuple[tuple[int, int], ...]  # as Radix has them, from the value's start
    text: bytes


def _remembered(decode: Callable[[bytes], _Text | None], value: bytes) -> _Text | None:
    return _short[decode](value) if len(value) <= _REMEMBERED else decode(value)


def _placed(data: bytes, start: int, found: _Text, encoding: str, ratio: tuple[int, int]) -> Decoded:
    runs = [(count, start + offset) for count, offset in found.runs]
    return with_context(data, start + found.first, found.text, encoding, Radix(*ratio, runs))


def _base64_text(value: bytes) -> _Text | None:
    return _text_of_groups(value, 4, decode_base64)


def _base32_text(value: bytes) -> _Text | None:
    return _text_of_groups(value, 8, _decode_base32)


def _text_of_groups(value: bytes, group: int, decode: Callable[[bytes], bytes]) -> _Text | None:
    """Give the text of ``value``, whose digits stand in groups of ``group``."""
    _, head = _unwrapped(value, 0, min(len(value), _HEAD))
    for phase in range(group):  # what stands before may look like digits: a path, an identifier
        if is_text(decode(head[phase:])):
            runs, digits = _unwrapped(value, phase, len(value))
            return _Text(phase, tuple(runs), decode(digits))
    return None


def _decode_base32(digits: bytes) -> bytes:
    whole = len(digits) * 5 // 8 * 8  # bits that make up bytes
    digits = digits[: -(-whole // 5)]
    return base64.b32decode(digits + b"=" * (-len(digits) % 8)) if digits else b""


def _hex_text(value: bytes) -> _Text | None:
    if len(value) > _REMEMBERED and not is_text(binascii.unhexlify(b"".join(_HEX_RUN.findall(value, 0, _HEAD)))):
        return None
    pairs = list(_HEX_RUN.finditer(value))
    text = binascii.unhexlify(b"".join([pair[1] for pair in pairs]))
    runs = tuple((2 * number, pair.start(1)) for number, pair in enumerate(pairs))
    return _Text(0, runs, text) if is_text(text) else None


# A history shows the same values again and again.
_short: dict[Callable[[bytes], _Text | None], Callable[[bytes], _Text | None]] = {
    decode: lru_cache(maxsize=2048)(decode) for decode in (_base64_text, _base32_text, _hex_text)
}


def decode_base64(digits: bytes) -> bytes:
    """Decode ``digits`` of either alphabet; what is no digit, and half a group at the end, is dropped."""
    digits = _NO_DIGIT.sub(b"", digits.translate(_URL))
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def is_text(data: bytes) -> bool:
    """Say whether ``data`` is mostly printable, also when it is UTF-16."""
    if not data:
        return False
    printable = len(data) - len(data.translate(None, _PRINTABLE))
    return printable * 10 >= len(data) * 7 or data.count(0) * 10 >= len(data) * 4 <= printable * 10


def with_context(data: bytes, start: int, text: bytes, encoding: str, trail: Trail) -> Decoded:
    """Give ``text``, which stands encoded at ``start``, after the beginning of its line."""
    reach = max(0, start - _CONTEXT)
    line = max(data.rfind(b"\n", reach, start) + 1, reach)
    pieces = Pieces()
    pieces.add(data[line:start], Copy(line))
    pieces.add(text, trail)
    return pieces.decoded(encoding)


def _values(data: bytes, hits: Iterable[tuple[int, int]], pattern: re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
    """Give the spans of the values that ``hits`` lie in; no byte is searched twice, however many the hits."""
    start = end = position = 0  # the last value found, and where the search goes on
    for hit_start, hit_end in sorted(hits):
        while end <= hit_start and position < len(data):
            position = max(position, hit_start - _BEFORE)
            match = pattern.search(data, position)
            start, end = match.span() if match else (len(data), len(data))
            position = end
        if start < end and start < hit_end and hit_start < end:
            yield start, end
            start = end  # once


def _unwrapped(data: bytes, start: int, end: int) -> tuple[list[tuple[int, int]], bytes]:
    """Give the runs of base64 digits between the offsets, for Radix, and all their digits."""
    if data.find(b"\n", start, end) < 0 and data.find(b"\\", start, end) < 0:
        return [(0, start)], data[start:end].rstrip(b"=")
    runs, parts, count = [], [], 0
    borders = [wrap.span() for wrap in _BETWEEN.finditer(data, start, end)]
    for (_, first), (last, _) in pairwise([(start, start), *borders, (end, end)]):
        part = data[first:last].rstrip(b"=")
        runs.append((count, first))
        parts.append(part)
        count += len(part)
    return runs, b"".join(parts)
