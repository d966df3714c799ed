"""The way back: from a byte of decoded text to the bytes of the original that it came from.

A trail maps offsets of its own text. ``start`` gives where the byte at an offset begins in the original, ``end``
where the byte before an offset ends there, ``fresh`` whether a span holds anything that was not plain.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Trail(Protocol):
    """Maps half-open spans of decoded text to the original."""

    def start(self, offset: int) -> int:
        """Give where the byte at ``offset`` begins in the original."""
        ...

    def end(self, offset: int) -> int:
        """Give where the byte before ``offset`` ends in the original."""
        ...

    def fresh(self, start: int, end: int) -> bool:
        """Say whether any byte of the span was written otherwise in the original."""
        ...


class Decoded(NamedTuple):
    """A piece of text as it reads once decoded, with the way back."""

    text: bytes
    encoding: str  # such as base64 (the keys of decode.DECODERS); outermost first where nested, joined by "+"
    trail: Trail


class Copy(NamedTuple):
    """Bytes that stand in the original as they are."""

    origin: int

    def start(self, offset: int) -> int:
        """See Trail."""
        return self.origin + offset

    def end(self, offset: int) -> int:
        """See Trail."""
        return self.origin + offset

    def fresh(self, _start: int, _end: int) -> bool:
        """See Trail."""
        return False


class Whole(NamedTuple):
    """Bytes that came, together, from one span: an escape, or nothing at all where strings are joined."""

    origin: int
    origin_end: int

    def start(self, _offset: int) -> int:
        """See Trail."""
        return self.origin

    def end(self, _offset: int) -> int:
        """See Trail."""
        return self.origin_end

    def fresh(self, _start: int, _end: int) -> bool:
        """See Trail."""
        return True


class Radix(NamedTuple):
    """Bytes that came from digits: ``digits`` of them carry ``size`` bytes, some of the text between is no digit."""

    digits: int  # 4 for base64, 8 for base32, 2 for hexadecimal
    size: int  # 3 for base64, 5 for base32, 1 for hexadecimal
    runs: Sequence[tuple[int, int]]  # (number of the first digit, its place in the original) of each unbroken run

    def start(self, offset: int) -> int:
        """See Trail."""
        group, rest = divmod(offset, self.size)
        return self._place(group * self.digits + rest * self.digits // self.size)

    def end(self, offset: int) -> int:
        """See Trail."""
        group, rest = divmod(offset - 1, self.size)
        return self._place(group * self.digits - (-(rest + 1) * self.digits // self.size) - 1) + 1

    def fresh(self, _start: int, _end: int) -> bool:
        """See Trail."""
        return True

    def _place(self, digit: int) -> int:
        first, place = self.runs[bisect_right(self.runs, (digit, 1 << 62)) - 1]
        return place + digit - first


class Chain(NamedTuple):
    """Pieces one after another, each with its own trail."""

    starts: Sequence[int]  # where each piece begins in the text
    trails: Sequence[Trail]

    def start(self, offset: int) -> int:
        """See Trail."""
        piece = self._piece(offset)
        return self.trails[piece].start(offset - self.starts[piece])

    def end(self, offset: int) -> int:
        """See Trail."""
        piece = self._piece(offset - 1)
        return self.trails[piece].end(offset - self.starts[piece])

    def fresh(self, start: int, end: int) -> bool:
        """See Trail."""
        first, last = self._piece(start), self._piece(end - 1)
        return first != last or self.trails[first].fresh(start - self.starts[first], end - self.starts[first])

    def _piece(self, offset: int) -> int:
        return max(0, bisect_right(self.starts, offset) - 1)


class Nested(NamedTuple):
    """Text that was decoded twice."""

    inner: Trail  # to the text between
    outer: Trail  # from there to the original

    def start(self, offset: int) -> int:
        """See Trail."""
        return self.outer.start(self.inner.start(offset))

    def end(self, offset: int) -> int:
        """See Trail."""
        return self.outer.end(self.inner.end(offset))

    def fresh(self, start: int, end: int) -> bool:
        """See Trail."""
        return self.inner.fresh(start, end)


class Pieces:
    """Puts decoded text together, piece by piece."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._starts: list[int] = []
        self._trails: list[Trail] = []
        self.length = 0

    def add(self, text: bytes, trail: Trail) -> None:
        """Add ``text``, whose offsets ``trail`` maps."""
        if text:
            self._texts.append(text)
            self._starts.append(self.length)
            self._trails.append(trail)
            self.length += len(text)

    def decoded(self, encoding: str) -> Decoded:
        """Give the whole."""
        return Decoded(b"".join(self._texts), encoding, Chain(self._starts, self._trails))
