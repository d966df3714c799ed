"""Text that is safe to show: a repository names things as it likes, and a terminal obeys what it is sent."""

from __future__ import annotations

import unicodedata

_DANGEROUS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, format (bidi) characters, surrogates, separators

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """Give ``text`` with everything that could steer a terminal, or reorder a line, written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _DANGEROUS else c for c in text)


def printable_lines(text: str) -> str:
    """Give ``text`` like :func:`printable`, with its lines left as they are."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    )
