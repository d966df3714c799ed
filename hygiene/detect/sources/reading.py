"""What the sources that read git objects share: the reader of this process, and what it could not read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from hygiene.detect.sources.lfs import LONGEST, is_pointer
from hygiene.detect.sources.names import by_kind, name_blobs
from hygiene.detect.sources.objects import ObjectReader
from hygiene.detect.sources.protocol import Blob, Item
from hygiene.detect.sources.registry import load_packs
from hygiene.finding import Skipped
from hygiene.git import Git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hygiene.detect.sources.packs import Packs

_FEW = 64  # objects of a small commit: to open the packs would take longer than to ask git
_POINTER = "Git LFS pointer: its content is not in git"


class ObjectSource:
    """Reads objects of one repository; each process has its own git."""

    commits = 0
    _by_pack = False  # whether to read packs here: where nearly all of their objects are wanted, in their order

    def __init__(self, folder: Path) -> None:
        """Read the repository at ``folder``."""
        self._git = Git(folder)
        self._skipped: list[Skipped] = []
        self._reader: ObjectReader | None = None
        self._packs: Packs | None = None
        self._packs_opened = False
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_reader": None, "_packs": None, "_packs_opened": False, "_skipped": []}

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of the objects and names ``items``."""
        if os.getpid() != self._process:  # a fork of the process that listed: that one's notes and git are not ours
            self._process, self._skipped, self._reader = os.getpid(), [], None
            self._packs, self._packs_opened = None, False
        if self._reader is None:
            self._reader = ObjectReader(self._git)
        for are_names, run in by_kind(items):
            yield from name_blobs(run) if are_names else self._objects(self._reader, run)

    def _objects(self, reader: ObjectReader, items: list[Item]) -> Iterator[Blob]:
        for blob in self._packed(reader, items) if self._by_pack and len(items) > _FEW else reader.read(items):
            if len(blob.data) < LONGEST and is_pointer(blob.data):
                self._skipped.append(Skipped(blob.path or blob.id, _POINTER, incomplete=False))
            yield blob

    def _packed(self, reader: ObjectReader, items: list[Item]) -> Iterator[Blob]:
        """Give the objects ``items``, in order: from the packs where that can be, from git the others."""
        if not self._packs_opened:
            self._packs_opened, self._packs = True, load_packs(self._git)
        if self._packs is None:
            yield from reader.read(items)
            return
        others: list[Item] = []
        for item in items:
            blob = self._packs.read(item.id, item.path)
            if blob is None:
                others.append(item)
                continue
            if others:
                yield from reader.read(others)
                others = []
            yield blob
        yield from reader.read(others)

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        found, self._skipped = self._skipped, []
        if self._reader is not None:
            found += self._reader.skipped
            self._reader.skipped = []
        return found
