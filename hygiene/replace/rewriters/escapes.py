"""Reading string literals: what the escape sequences of C-like languages mean."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(
    rb"\\(?:u\{([0-9a-fA-F]{1,6})\}|u+([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(\r\n|.))",
    re.DOTALL,
)
_SIMPLE = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
    b"a": b"\a",
    b"e": b"\x1b",
    b"s": b" ",
    b"\n": b"",
    b"\r\n": b"",
    b"\\": b"\\",
    b"'": b"'",
    b'"': b'"',
    b"`": b"`",
    b"$": b"$",
    b"/": b"/",
    b"#": b"#",
    b" ": b" ",
}


def unescaped(raw: bytes, known: bytes, *, keep_unknown: bool = False, as_bytes: bool = False) -> bytes | None:
    r"""Decode ``raw``; None where a sequence can't be told.

    ``known`` holds the letters after a backslash that mean something: ``n t r b f v a e s`` and quotes, ``u``,
    ``U``, ``x``, ``0`` for octal, and a newline for a joined line. With ``keep_unknown`` an unknown sequence
    stands for itself, backslash included (Python, PHP). ``as_bytes``: ``\x`` and octal give a byte, not a character.
    """
    parts: list[bytes] = []
    position = 0
    for match in _SEQUENCE.finditer(raw):
        parts.append(raw[position : match.start()])
        position = match.end()
        try:
            decoded = _decoded(match, known, as_bytes)
        except ValueError:
            return None
        if decoded is None and not keep_unknown:
            return None
        parts.append(match.group() if decoded is None else decoded)
    parts.append(raw[position:])
    joined = _join_surrogates(b"".join(parts))
    return None if joined is None or (joined.endswith(b"\\") and _odd_backslashes(raw)) else joined


def splits_escape(content: bytes, start: int, offset: int) -> bool:
    """Say whether ``offset``, in a literal whose content begins at ``start``, follows an escaping backslash."""
    return _odd_backslashes(content[start:offset])


def _odd_backslashes(raw: bytes) -> bool:
    return (len(raw) - len(raw.rstrip(b"\\"))) % 2 == 1


def _decoded(match: re.Match[bytes], known: bytes, as_bytes: bool) -> bytes | None:
    braced, short, long, byte, octal, simple = match.groups()
    if simple in (b"x", b"u", b"U") and simple in known:
        raise ValueError  # fewer digits than are read here: what it means is the language's own affair
    if braced or short:
        return _character(braced or short, 16) if b"u" in known else None
    if long:
        return _character(long, 16) if b"U" in known else None
    if byte:
        return None if b"x" not in known else bytes([int(byte, 16)]) if as_bytes else _character(byte, 16)
    if octal:
        if b"0" not in known:
            return None
        return bytes([int(octal, 8) & 255]) if as_bytes else _character(octal, 8)
    return _SIMPLE.get(simple) if simple[:1] in known else None


def _character(digits: bytes, base: int) -> bytes | None:
    number = int(digits, base)
    return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else None


def _join_surrogates(text: bytes) -> bytes | None:
    if b"\xed" not in text:
        return text
    try:
        return text.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode()
    except UnicodeError:
        return text if is_utf8(text) else None


def is_utf8(text: bytes) -> bool:
    """Say whether ``text`` is UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
