"""What packages of Linux distributions are made of: ar (deb), the headers of rpm, and cpio inside of that."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, cast

from hygiene.detect.containers.budget import Budget, Metered
from hygiene.detect.containers.member import Member, Part, shown, taken

AR = b"!<arch>\n"
CPIO = (b"070701", b"070702")  # the new ASCII form, without and with checksums
RPM = b"\xed\xab\xee\xdb"
_LONGEST_NAME = 1 << 16  # bytes
_AR_HEADER, _CPIO_HEADER, _RPM_LEAD = 60, 110, 96
_RPM_HEADER = b"\x8e\xad\xe8\x01"
_LARGEST_RPM_HEADER = 256 << 20  # bytes, which is rpm's own limit


def ar_members(stream: Metered, path: str, budget: Budget) -> Iterator[Member]:
    """Give the files in the ar archive ``stream`` (ar(5), deb(5)). Raises ValueError and EOFError for a damaged one."""
    taken(stream, len(AR))
    while stream.peek(1):
        header = taken(stream, _AR_HEADER)
        if header[58:] != b"`\n":
            raise ValueError("not the header of an ar entry")
        budget.enter()
        name, size = header[:16].rstrip(), _number(header[48:58], 10)
        if name.startswith(b"#1/"):  # BSD: the name stands before the content
            length = min(_number(name[3:], 10), size)
            name, size = taken(stream, _checked(length)).rstrip(b"\0"), size - length
        part = Part(stream, size)
        yield Member(_inside(path, name.rstrip(b"/") or name), cast(IO[bytes], part))
        part.skip()
        if _number(header[48:58], 10) % 2 and stream.peek(1):
            taken(stream, 1)


def cpio_members(stream: Metered, path: str, budget: Budget) -> Iterator[Member]:
    """Give the files in the cpio archive ``stream`` (cpio(5)). Raises ValueError and EOFError for a damaged one."""
    while True:
        header = taken(stream, _CPIO_HEADER)
        if not header.startswith(CPIO):
            raise ValueError("not the header of a cpio entry")
        budget.enter()
        size, length = _number(header[54:62], 16), _number(header[94:102], 16)
        name = taken(stream, _checked(length)).rstrip(b"\0")
        taken(stream, -(_CPIO_HEADER + length) % 4)
        if name == b"TRAILER!!!":
            return
        part = Part(stream, size)
        if size:
            yield Member(_inside(path, name), cast(IO[bytes], part))
            part.skip()
        taken(stream, -size % 4)


def rpm_members(stream: Metered, path: str, _budget: Budget) -> Iterator[Member]:
    """Give the headers (descriptions and scripts) and the payload of the rpm package ``stream``. Raises ValueError."""
    taken(stream, _RPM_LEAD)
    signature = _rpm_header(stream)
    taken(stream, -len(signature) % 8)
    yield Member.of(f"{path}!/(header)", _rpm_header(stream))
    yield Member(f"{path}!/(payload)", cast(IO[bytes], stream))


def _rpm_header(stream: Metered) -> bytes:
    start = taken(stream, 16)
    if not start.startswith(_RPM_HEADER):
        raise ValueError("not the header of an rpm package")
    entries, size = struct.unpack(">II", start[8:])
    if entries * 16 + size > _LARGEST_RPM_HEADER:
        raise ValueError("an rpm header of more than 256 MiB")
    return start + taken(stream, entries * 16 + size)


def _number(digits: bytes, base: int) -> int:
    text = digits.strip()
    if not text.isalnum():  # int() takes signs and underscores, too
        raise ValueError("not a number in a header")
    return int(text, base)


def _checked(length: int) -> int:
    if length > _LONGEST_NAME:
        raise ValueError(f"a name of {length} bytes")
    return length


def _inside(path: str, name: bytes) -> str:
    return f"{path}!/{shown(name.decode('utf-8', 'surrogateescape'))}"
