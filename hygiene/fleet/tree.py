"""The files of a repository's default branch as a source, without a working tree: mirrors have none."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hygiene.detect.sources.protocol import Blob, Item, Source
from hygiene.detect.sources.registry import open_source
from hygiene.finding import Provenance, Skipped
from hygiene.git import Git


class TreeSource:
    """What HEAD holds; a repository without commits holds nothing."""

    commits = 0

    def __init__(self, folder: Path) -> None:
        """Read the repository at ``folder``."""
        self._git = Git(folder)
        self._objects: Source = open_source("history", folder)
        self._paths: dict[str, list[str]] = {}

    def items(self) -> Iterable[Item]:
        """List each blob once, with its first path."""
        listing = self._git.run("ls-tree", "-r", "-z", "HEAD", ok=(0, 128))
        for line in listing.split(b"\0"):
            facts, _, path = line.partition(b"\t")
            if b" blob " in facts:
                self._paths.setdefault(facts.split(b" ")[2].decode(), []).append(os.fsdecode(path))
        return [Item(name, 0, paths[0]) for name, paths in self._paths.items()]

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of ``items``."""
        return self._objects.read(items)

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the paths of ``ids``."""
        return {name: tuple(Provenance("file", path) for path in self._paths.get(name, ("",))) for name in ids}

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        return self._objects.skipped()
