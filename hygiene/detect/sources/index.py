"""The staged objects: what the next commit would add, read from git's index and never from the working tree."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hygiene.detect.glance.staged import LISTING
from hygiene.detect.sources.names import name_items, named_path
from hygiene.detect.sources.protocol import Item
from hygiene.detect.sources.reading import ObjectSource
from hygiene.finding import Provenance, Skipped
from hygiene.git import PATIENCE

_SUBMODULE = b"160000"


class Entry(NamedTuple):
    """One path that the index changes."""

    mode: bytes
    id: str
    status: str
    path: str


class IndexSource(ObjectSource):
    """What is staged against HEAD, or against nothing before the first commit. Honours ``GIT_INDEX_FILE``."""

    def __init__(self, folder: Path, *, settled: Collection[str] = (), listing: bytes | None = None) -> None:
        """Read the index of the repository at ``folder``, without the objects ``settled``, known to be clean.

        ``listing``: what git has just listed, where it was asked before.
        """
        super().__init__(folder)
        self._listing = listing
        self._settled = settled
        self._places: dict[str, list[str]] = {}

    def items(self) -> Iterable[Item]:
        """List the staged objects, each once."""
        self._places = {}
        for entry in self._entries():
            if entry.mode == _SUBMODULE:
                self._skipped.append(Skipped(entry.path, "submodule: scan it in its own repository", incomplete=False))
                continue
            self._places.setdefault(entry.id, []).append(entry.path)
        objects = [Item(name, 0, paths[0]) for name, paths in self._places.items() if name not in self._settled]
        return [*objects, *name_items(path for paths in self._places.values() for path in paths)]

    def _entries(self) -> Iterator[Entry]:
        listing = self._listing if self._listing is not None else self._list()
        unmerged = False
        for entry in parse_raw(listing):
            if entry.status == "U":
                unmerged = True
            elif entry.status != "D":
                yield entry
        if unmerged:
            yield from parse_stages(self._git.run("ls-files", "--unmerged", "--full-name", "-z", ":/"))

    def _list(self) -> bytes:
        return self._git.run(*LISTING, self._base())

    def _base(self) -> str:
        head = self._git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1), timeout=PATIENCE)
        if head:
            return head.decode().strip()
        return self._git.run("hash-object", "-t", "tree", "--stdin", stdin=b"").decode().strip()

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the staged paths of ``ids``."""
        places = {}
        for name in ids:
            path = named_path(name)
            paths = self._places.get(name, []) if path is None else [path]
            places[name] = tuple(Provenance("index", path) for path in paths)
        return places


def parse_raw(listing: bytes) -> Iterator[Entry]:
    """Parse the output of ``git diff-index --raw -z --no-renames``: the new side of each change."""
    fields = iter(listing.split(b"\0"))
    for header in fields:
        if header.startswith(b":"):
            _, mode, _, name, status = header.split(b" ")
            yield Entry(mode, name.decode(), status[:1].decode(), os.fsdecode(next(fields)))


def parse_stages(listing: bytes) -> Iterator[Entry]:
    """Parse the output of ``git ls-files --unmerged -z``: every side of each conflict."""
    for line in listing.split(b"\0"):
        if line:
            header, path = line.split(b"\t", 1)
            mode, name, _ = header.split(b" ")
            yield Entry(mode, name.decode(), "U", os.fsdecode(path))
