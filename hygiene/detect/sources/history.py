"""The whole history: all refs, stashes and notes; with ``unreachable`` also reflogs and dangling objects.

Every object that the repository holds is read, since to list them all costs a fraction of a walk over all trees. A
finding in an object that no ref reaches gets no place and is dropped, unless those were asked for.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hygiene.detect.sources.commits import _SHALLOW, CommitsSource, shallow_edge
from hygiene.detect.sources.graph import Reach
from hygiene.detect.sources.listing import all_objects, walk_names
from hygiene.detect.sources.names import REF, name_items, named_path
from hygiene.detect.sources.protocol import Blob, Item
from hygiene.errors import SourceError
from hygiene.finding import Provenance, Skipped

WALKED_TREES = 60_000  # up to here a walk over all trees costs less than a second
_WALK = "walk:"
_NOT_WALKED = (
    "{:,} trees: their files' names are not read, and a missing object is noticed only where something was found"
)
_PARTIAL = "partial clone: objects that were never fetched are not read"


class HistorySource(CommitsSource):
    """All objects of a repository."""

    _by_pack = True

    def __init__(self, folder: Path, *, unreachable: bool = False, deep: bool = False) -> None:
        """Read the repository at ``folder``; ``deep`` walks all trees, however many, for names and missing objects."""
        super().__init__(folder, ("--all",))
        self._unreachable = unreachable
        self._deep = deep
        self._all_commits: list[str] = []

    def __getstate__(self) -> dict[str, object]:
        return {**super().__getstate__(), "_all_commits": []}

    def items(self) -> Iterable[Item]:
        """List the blobs, commits and tags, the names of refs, and the walk over all trees."""
        self.commits = 0
        if shallow_edge(self._git):
            self._skipped.append(Skipped("", f"{_SHALLOW}; git fetch --unshallow fetches the rest"))
        self._reach = self._reached()
        yield from name_items(self._refs(), REF)
        trees = 0
        for listed in all_objects(self._git):
            if listed.type == "tree":
                trees += 1
            elif item := self._item(listed):
                if self._unreachable and listed.type == "commit":
                    self._all_commits.append(listed.id)
                yield item
        if self._deep or trees <= WALKED_TREES:
            yield Item(_WALK, trees, "")
        elif self.is_partial():
            self._skipped.append(Skipped("", _PARTIAL))
        else:
            self._skipped.append(Skipped("", _NOT_WALKED.format(trees), incomplete=False))

    def _reached(self) -> Reach:
        stashes = self._git.run("rev-list", "--walk-reflogs", "refs/stash", "--", ok=(0, 128)).decode().split()
        return Reach(("--all", "--reflog") if self._unreachable else ("--all",), tuple(stashes))

    def _refs(self) -> list[str]:
        return os.fsdecode(self._git.run("for-each-ref", "--format=%(refname)")).splitlines()

    def is_partial(self) -> bool:
        """Say whether this is a partial clone: objects that are missing come in packs, or never."""
        packs = self._git.common_dir() / "objects" / "pack"
        return any(packs.glob("*.promisor"))

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of the objects; the walk gives the names of files."""
        yield from super().read([item for item in items if item.id != _WALK])
        if any(item.id == _WALK for item in items):
            yield from self._walk()

    def _walk(self) -> Iterator[Blob]:
        try:
            paths, missing = walk_names(self._git, self._reach)
        except SourceError as error:
            self._skipped.append(Skipped("", f"history is not whole: {error.message} ({error.hint})"))
            return
        self._skipped += missing
        for item in name_items(sorted(paths)):
            yield from super().read([item])

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the places of ``ids`` in history, in tags and in the names of refs."""
        self._reach = self._reached()
        if self._unreachable:
            self._reach = self._reach._replace(revisions=(*self._reach.revisions, *self._all_commits))
        refs = {name: (Provenance("ref", path),) for name in ids if (path := named_path(name, REF)) is not None}
        found = {**super().provenance([name for name in ids if name not in refs]), **refs}
        if self._unreachable:
            return {name: found.get(name, (Provenance("unreachable", ""),)) for name in ids}
        return found
