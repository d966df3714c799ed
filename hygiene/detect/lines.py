"""From byte offsets to lines and columns, both 1-based; columns count characters, not bytes."""

from __future__ import annotations

_CONTINUATION = bytes(range(0x80, 0xC0))  # bytes that continue a UTF-8 character (RFC 3629)


def position(data: bytes, offset: int, line: int = 1, column: int = 1) -> tuple[int, int]:
    """Give line and column of ``offset`` in ``data``, whose first byte stands at ``line`` and ``column``."""
    newlines = data.count(b"\n", 0, offset)
    if newlines:
        start = data.rfind(b"\n", 0, offset) + 1
        return line + newlines, 1 + _characters(data[start:offset])
    return line, column + _characters(data[:offset])


def _characters(text: bytes) -> int:
    return len(text.translate(None, _CONTINUATION))
