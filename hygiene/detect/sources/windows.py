"""Large objects in overlapping windows, with the line and column that each window begins on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hygiene.detect.sources.protocol import OVERLAP, WINDOW, Blob

_CONTINUATION = re.compile(rb"[\x80-\xbf]+")


def windows(read: Callable[[int], bytes], name: str, path: str, *, size: int = WINDOW) -> Iterator[Blob]:
    """Cut what ``read(count)`` gives into blobs of at most ``size`` bytes, until it gives nothing.

    ``read`` may give fewer bytes than asked for. Only one window is held at a time.
    """
    data = _fill(read, b"", size)
    blob = Blob(name, data, path)
    while True:
        yield blob
        if len(blob.data) < size:
            return
        rest = _fill(read, blob.data[-OVERLAP:], size)
        if len(rest) == OVERLAP:
            return
        line, column = advance(blob.data[:-OVERLAP], blob.line, blob.column)
        blob = Blob(name, rest, path, blob.start + len(blob.data) - OVERLAP, line, column)


def advance(data: bytes, line: int, column: int) -> tuple[int, int]:
    """Give the line and column after ``data``, which begins at ``line`` and ``column``."""
    newlines = data.count(b"\n")
    tail = data[data.rindex(b"\n") + 1 :] if newlines else data
    characters = len(tail) - sum(map(len, _CONTINUATION.findall(tail)))
    return line + newlines, characters + (1 if newlines else column)


def _fill(read: Callable[[int], bytes], head: bytes, size: int) -> bytes:
    parts = [head]
    missing = size - len(head)
    while missing > 0 and (part := read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
