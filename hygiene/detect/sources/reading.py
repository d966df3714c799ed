"""What the sources that read git objects share: the reader of this process, and what it could not read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from hygiene.detect.sources.lfs import LONGEST, is_pointer
from hygiene.detect.sources.names import by_kind, name_blobs
from hygiene.detect.sources.objects import ObjectReader
from hygiene.detect.sources.protocol import Blob, Item
from hygiene.finding import Skipped
from hygiene.git import Git

_POINTER = "Git LFS pointer: its content is not in git"


class ObjectSource:
    """Reads objects of one repository; each process has its own git."""

    commits = 0

    def __init__(self, folder: Path) -> None:
        """Read the repository at ``folder``."""
        self._git = Git(folder)
        self._skipped: list[Skipped] = []
        self._reader: ObjectReader | None = None
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_reader": None, "_skipped": []}

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of the objects and names ``items``."""
        if os.getpid() != self._process:  # a fork of the process that listed: that one's notes and git are not ours
            self._process, self._skipped, self._reader = os.getpid(), [], None
        if self._reader is None:
            self._reader = ObjectReader(self._git)
        for are_names, run in by_kind(items):
            yield from name_blobs(run) if are_names else self._objects(self._reader, run)

    def _objects(self, reader: ObjectReader, items: list[Item]) -> Iterator[Blob]:
        for blob in reader.read(items):
            if len(blob.data) < LONGEST and is_pointer(blob.data):
                self._skipped.append(Skipped(blob.path or blob.id, _POINTER, incomplete=False))
            yield blob

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        found, self._skipped = self._skipped, []
        if self._reader is not None:
            found += self._reader.skipped
            self._reader.skipped = []
        return found
