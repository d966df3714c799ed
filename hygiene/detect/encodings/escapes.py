"""Escapes inside plain text: percent (RFC 3986), HTML and XML entities, the backslashes of JSON and programs, and those
of mails (quoted-printable, RFC 2045).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from html.entities import html5

from hygiene.detect.encodings.regions import regions
from hygiene.detect.encodings.trail import Copy, Decoded, Pieces, Whole

_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_ENTITY = re.compile(rb"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z]{2,8}));")
_BACKSLASH = re.compile(
    rb"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\u\{([0-9A-Fa-f]{1,6})\}|\\x([0-9A-Fa-f]{2})|\\([0-3][0-7]{2})"
    rb"|\\([/\"'\\&=:@+#!ntr])"
)
_QUOTED = re.compile(rb"=([2-7][0-9A-F])|=[ \t]*\r?\n")
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


def percent(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the percent escapes on the lines of ``hits``."""
    return _replaced(data, hits, "percent", _PERCENT, lambda escape: bytes([int(escape[1], 16)]))


def entities(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the HTML and XML entities on the lines of ``hits``."""
    return _replaced(data, hits, "entity", _ENTITY, _entity)


def quoted(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode quoted-printable text on the lines of ``hits``: ``=3D``, and lines that go on after a ``=``."""
    return _replaced(data, hits, "quoted", _QUOTED, lambda escape: bytes([int(escape[1], 16)]) if escape[1] else b"")


def backslashes(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the backslash escapes of JSON, JavaScript, Python, C and shells on the lines of ``hits``."""
    return _replaced(data, hits, "escape", _BACKSLASH, _backslash)


def _replaced(
    data: bytes,
    hits: Iterable[tuple[int, int]],
    encoding: str,
    pattern: re.Pattern[bytes],
    replace: Callable[[re.Match[bytes]], bytes],
) -> Iterator[Decoded]:
    for start, end in regions(data, hits):
        pieces, done = Pieces(), start
        for escape in pattern.finditer(data, start, end):
            pieces.add(data[done : escape.start()], Copy(done))
            pieces.add(replace(escape), Whole(*escape.span()))
            done = escape.end()
        pieces.add(data[done:end], Copy(done))
        yield pieces.decoded(encoding)


def _entity(escape: re.Match[bytes]) -> bytes:
    decimal, hexadecimal, name = escape.groups()
    if name:
        return html5.get(f"{name.decode()};", escape[0].decode()).encode()
    return _character(int(decimal) if decimal else int(hexadecimal, 16), escape[0])


def _backslash(escape: re.Match[bytes]) -> bytes:
    four, eight, braced, byte, octal, letter = escape.groups()
    if letter:
        return _LETTERS.get(letter, letter)
    if byte or octal:
        return bytes([int(byte, 16) if byte else int(octal, 8)])
    return _character(int(four or eight or braced, 16), escape[0])


def _character(code: int, otherwise: bytes) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else otherwise
