"""Objects straight from git's pack files (gitformat-pack(5)), where that is faster than to ask git.

A whole history is read in the order of its packs, where versions of a file are neighbours, each told as a difference to
another. Here each is rebuilt from the one before, and what the difference says to be the same is passed on, so that it
need not be scanned again. Whatever is unusual (another format, a damaged object, a large one) is left to git.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections import OrderedDict
from pathlib import Path

from hygiene.detect.sources.delta import apply_delta, is_available, long_copies, sizes
from hygiene.detect.sources.protocol import Blob, Kin
from hygiene.errors import SourceError
from hygiene.git import Git

_LARGEST = 8 << 20  # bytes; larger objects are read by git, in windows
_WORTH = 2 << 10  # bytes; a smaller object is scanned as fast as it is compared
_KEPT_BYTES = 48 << 20  # of rebuilt objects, from which others are rebuilt
_MAPPED = 24 << 20  # bytes of a pack that may be in memory before all are given back
_AROUND = 64 << 10  # bytes that come into memory with each place that is read
_FINDS = 128  # look-ups in an index, each in another place, after which its memory is given back
_SAFE = 64 << 10  # bytes of an object that zlib may overshoot a thousandfold
_DEEPEST = 5000  # differences to differences; git makes at most 4095
_IDX = b"\xfftOc\0\0\0\2"
_PACK = b"PACK\0\0\0\2"
_COMMIT, _TAG, _OFFSET_DELTA, _NAME_DELTA = 1, 4, 6, 7
_ID_BYTES = {"sha1": 20, "sha256": 32}
_SPREAD = 160  # names around the place where a name is to be expected
_ERRORS = (zlib.error, ValueError, IndexError, struct.error, OSError)


class Packs:
    """The packs of one objects folder."""

    def __init__(self, folder: Path, id_bytes: int) -> None:
        """Open the packs in ``folder`` (``objects/pack``), whose object ids have ``id_bytes`` bytes."""
        paths = sorted(folder.glob("pack-*.idx"), key=lambda path: path.stat().st_size, reverse=True)
        self._packs = [pack for path in paths if (pack := _open(path, id_bytes))]

    @property
    def any(self) -> bool:
        """Say whether there are packs."""
        return bool(self._packs)

    def read(self, name: str, path: str) -> Blob | None:
        """Give the object ``name``, or None where git had better read it."""
        raw = bytes.fromhex(name)
        for number, pack in enumerate(self._packs):
            if (offset := pack.find(raw)) is None:
                continue
            if number:  # the next object is likely to be in the same pack
                self._packs.insert(0, self._packs.pop(number))
            try:
                found = pack.read(offset)
            except _ERRORS:
                return None
            return found and Blob(name, found[0], path, kin=found[1])
        return None


class _Pack:
    def __init__(self, index: mmap.mmap, pack: mmap.mmap, name: str, id_bytes: int) -> None:
        self._index = index
        self._pack = pack
        self._name = name
        self._id_bytes = id_bytes
        self._fan = (0, *struct.unpack_from(">256I", index, len(_IDX)))
        self._names_at = len(_IDX) + 1024
        self._offsets_at = self._names_at + self._fan[256] * (id_bytes + 4)
        self._kept: OrderedDict[int, bytes] = OrderedDict()  # rebuilt objects, by their offset
        self._room = _KEPT_BYTES
        self._touched = 0
        self._last = 0
        self._finds = 0

    def find(self, raw: bytes) -> int | None:
        """Give the offset of the object with the id ``raw``, or None where it is in another pack."""
        self._finds += 1
        if not self._finds % _FINDS:
            self._index.madvise(mmap.MADV_DONTNEED)
        low, high = self._fan[raw[0]], self._fan[raw[0] + 1]
        guess = low + ((high - low) * int.from_bytes(raw[1:5], "big") >> 32)
        number = self._search(raw, max(low, guess - _SPREAD), min(high, guess + _SPREAD))
        if number < 0:
            number = self._search(raw, low, high)
        return None if number < 0 else self._offset(number)

    def _search(self, raw: bytes, low: int, high: int) -> int:
        start, width = self._names_at, self._id_bytes
        names = self._index[start + low * width : start + high * width]
        at = names.find(raw)
        while at >= 0 and at % width:
            at = names.find(raw, at + 1)
        return low + at // width if at >= 0 else -1

    def _offset(self, number: int) -> int:
        offset = int.from_bytes(self._index[self._offsets_at + 4 * number : self._offsets_at + 4 * number + 4], "big")
        if offset < 1 << 31:
            return offset
        large_at = self._offsets_at + 4 * self._fan[256] + 8 * (offset & 0x7FFFFFFF)
        return int.from_bytes(self._index[large_at : large_at + 8], "big")

    def read(self, offset: int) -> tuple[bytes, Kin] | None:
        """Give the object at ``offset``; raises what a damaged pack makes ``zlib`` and others raise."""
        chain: list[tuple[int, int, int]] = []  # offset, where the compressed bytes are, size
        at, data = offset, self._kept.get(offset)
        while data is None:
            data_at, size, base = self._entry(at)
            if size > _LARGEST or len(chain) > _DEEPEST:
                return None
            chain.append((at, data_at, size))
            if base < 0:
                break
            at = base
            data = self._kept.get(at)
        kin = Kin((self._name, offset))
        for at, data_at, size in reversed(chain):
            raw = self._inflated(data_at, size)
            if data is None:
                data = raw
            else:
                before, after, start = sizes(raw)
                if before != len(data) or after > _LARGEST:
                    return None
                if at == offset and after >= _WORTH and len(raw) < after >> 1:
                    kin = Kin((self._name, offset), (self._name, base), long_copies(raw, start))
                data = apply_delta(data, raw)
            self._keep(at, data)
            base = at
        return None if data is None else (data, kin)

    def _keep(self, offset: int, data: bytes) -> None:
        self._kept[offset] = data
        self._room -= len(data)
        while self._room < 0:
            self._room += len(self._kept.popitem(last=False)[1])

    def _entry(self, offset: int) -> tuple[int, int, int]:
        """Give where an object's compressed bytes are, its size, and the offset of its base, -1 for a whole object."""
        pack, at = self._pack, offset + 1
        byte = pack[offset]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 0x80:
            byte = pack[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
        if kind == _OFFSET_DELTA:
            byte = pack[at]
            back, at = byte & 0x7F, at + 1
            while byte & 0x80:
                byte = pack[at]
                back, at = (back + 1) << 7 | byte & 0x7F, at + 1
            if not 0 < back < offset:
                raise ValueError("a difference to nothing")
            return at, size, offset - back
        if kind == _NAME_DELTA:
            base = self.find(pack[at : at + self._id_bytes])
            if base is None:
                raise ValueError("a difference to an object elsewhere")
            return at + self._id_bytes, size, base
        if not _COMMIT <= kind <= _TAG:
            raise ValueError("an object of no known type")
        return at, size, -1

    def _inflated(self, at: int, size: int) -> bytes:
        # What zlib makes of bytes that it can't compress is never longer than this.
        packed = self._pack[at : at + size + (size >> 10) + 64]
        self._touched += len(packed) + _AROUND * (at // _AROUND != self._last // _AROUND)
        self._last = at
        if self._touched > _MAPPED:
            self._touched = 0
            self._pack.madvise(mmap.MADV_DONTNEED)
        if size <= _SAFE:
            data, whole = zlib.decompress(packed, bufsize=size or 1), True
        else:
            stream = zlib.decompressobj()
            data, whole = stream.decompress(packed, size + 1), stream.eof
        if len(data) != size or not whole:
            raise ValueError("an object of another size")
        return data


def _open(index: Path, id_bytes: int) -> _Pack | None:
    try:
        content, pack = _mapped(index), _mapped(index.with_suffix(".pack"))
        count = int(struct.unpack_from(">I", content, len(_IDX) + 255 * 4)[0])
    except _ERRORS:
        return None
    if content[: len(_IDX)] != _IDX or pack[: len(_PACK)] != _PACK or len(content) < 1032 + count * (id_bytes + 8):
        return None
    return _Pack(content, pack, index.name, id_bytes)


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def open_packs(git: Git) -> Packs | None:
    """Open the packs of a repository; None where they can't be read here. Those of alternates are left to git."""
    if not (is_available and hasattr(mmap, "MADV_DONTNEED")):
        return None
    try:
        answer = git.run("rev-parse", "--show-object-format", "--git-path", "objects/pack")
    except SourceError:
        return None
    kind, _, folder = os.fsdecode(answer).rstrip("\n").partition("\n")
    if kind not in _ID_BYTES:
        return None
    packs = Packs(git.folder / folder, _ID_BYTES[kind])
    return packs if packs.any else None
