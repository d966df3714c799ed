"""Git's differences between objects (gitformat-pack(5), "Deltified representation"): sizes, copies, and the result.

To put the result together takes a loop over a hundred small copies an object: dulwich has one in Rust. Without it
packs are not read here at all, and git does.
"""

from __future__ import annotations

try:
    from dulwich._pack import apply_delta as _apply
except ImportError:  # a platform without that wheel
    _apply = None

_LONG = 1024  # bytes of a copy that is worth to be told
_ARGUMENTS = [0] * 128 + [(code & 0x7F).bit_count() for code in range(128, 256)]  # bytes that follow an instruction
# What each of those bytes is a part of: bits 0 to 31 say where a copy began, those above how long it is.
_SHIFTS = [[shift for bit, shift in enumerate((0, 8, 16, 24, 32, 40, 48)) if code >> bit & 1] for code in range(256)]

Copy = tuple[int, int, int]  # begins here, has so many bytes, began there

is_available: bool = _apply is not None


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """Give the object that ``delta`` makes of ``base``. Raises ValueError for one that doesn't fit."""
    assert _apply is not None
    try:
        return b"".join(_apply(base, delta))
    except Exception as error:  # its own kind, which is not at hand without the rest of the library
        raise ValueError("a difference that does not fit") from error


def sizes(delta: bytes) -> tuple[int, int, int]:
    """Give the sizes of the object before and after, and where the instructions begin."""
    before, at = _size(delta, 0)
    after, at = _size(delta, at)
    return before, after, at


def _size(delta: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        byte = delta[at]
        size |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return size, at


def long_copies(delta: bytes, at: int) -> list[Copy]:
    """Give what ``delta``, from its first instruction at ``at``, takes over in copies of _LONG bytes or more."""
    found: list[Copy] = []
    place, length, last = 0, len(delta), -1
    while at < length:
        code = delta[at]
        at += 1
        if code < 0x80:  # so many bytes that are new
            at += code
            place += code
            continue
        end = at + _ARGUMENTS[code]
        sized = code & 0x70
        if sized == 0x10:  # in one byte
            place += delta[end - 1]
        elif sized == 0x30 and delta[end - 1] < _LONG >> 8 and place != last:
            place += delta[end - 2] | delta[end - 1] << 8
        else:
            value = 0
            for shift in _SHIFTS[code]:
                value |= delta[at] << shift
                at += 1
            start, size = value & 0xFFFFFFFF, value >> 32 or 0x10000
            if place == last and found[-1][2] + found[-1][1] == start:  # a longer copy, in two instructions
                found[-1] = (found[-1][0], found[-1][1] + size, found[-1][2])
                last = place + size
            elif size >= _LONG:
                found.append((place, size, start))
                last = place + size
            place += size
        at = end
    return found
