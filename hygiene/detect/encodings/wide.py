"""UTF-16, with a byte order mark or without, as whole files and as strings inside binaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hygiene.detect.encodings.trail import Decoded

_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_LITTLE = re.compile(rb"(?:[\t\n\r\x20-\xff]\x00|[\x00-\xff][\x01-\x9f])+")
_BIG = re.compile(rb"(?:\x00[\t\n\r\x20-\xff]|[\x01-\x9f][\x00-\xff])+")


class _Utf16(NamedTuple):
    """Maps UTF-8 text to the UTF-16 that it came from."""

    text: bytes
    origin: int

    def start(self, offset: int) -> int:
        return self.origin + self._width(offset)

    def end(self, offset: int) -> int:
        return self.origin + self._width(offset)

    def fresh(self, _start: int, _end: int) -> bool:
        return True

    def _width(self, offset: int) -> int:
        text = self.text[:offset].decode("utf-8", "surrogatepass")
        return len(text.encode("utf-16-le", "surrogatepass"))


def little(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the UTF-16LE text that ``hits`` lie in."""
    return _texts(data, hits, "utf-16-le", _LITTLE)


def big(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the UTF-16BE text that ``hits`` lie in."""
    return _texts(data, hits, "utf-16-be", _BIG)


def _texts(data: bytes, hits: Iterable[tuple[int, int]], codec: str, pattern: re.Pattern[bytes]) -> Iterator[Decoded]:
    if _MARKS.get(data[:2]) == codec:
        yield _decoded(data, 2, len(data), codec)
        return
    done = 0
    for start, end in sorted(hits):
        if end <= done:
            continue
        found = pattern.match(data, start)
        if found:
            done = found.end()
            yield _decoded(data, start, done, codec)


def _decoded(data: bytes, start: int, end: int, codec: str) -> Decoded:
    end -= (end - start) % 2
    text = data[start:end].decode(codec, "surrogatepass").encode("utf-8", "surrogatepass")
    return Decoded(text, "utf-16", _Utf16(text, start))
