"""What some commits add: every object that they reach and their base does not, never a patch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from hygiene.detect.sources.authorship import signatures
from hygiene.detect.sources.graph import Reach, tag_refs
from hygiene.detect.sources.lineage import places
from hygiene.detect.sources.listing import NOT_HERE, Listed, added_objects
from hygiene.detect.sources.names import FILE, name_items, named_path
from hygiene.detect.sources.protocol import Item
from hygiene.detect.sources.reading import ObjectSource
from hygiene.errors import SourceError, UsageError
from hygiene.finding import Provenance, Skipped
from hygiene.git import Git

_OPTIONS = ("--not", "--all", "--remotes", "--branches", "--tags")
KNOWN_BYTES = 8  # of a commit's id, by which it is known again
_SHALLOW = "the clone is shallow: what lies beyond its edge is unknown"


class CommitsSource(ObjectSource):
    """The objects of a range of commits."""

    def __init__(self, folder: Path, revisions: Sequence[str]) -> None:
        """Read what ``revisions`` add: ``("A..B",)``, ``("B", "^A")``, ``("B", "--not", "--remotes=origin")``."""
        super().__init__(folder)
        self._reach = reach_of(revisions)
        self.commit_ids = bytearray()  # KNOWN_BYTES of each commit that items() went over

    def items(self) -> Iterable[Item]:
        """List the blobs, commits and tags that the range adds. Raises SourceError for a revision that isn't there."""
        self.commits = 0
        self._check_edge()
        paths = set()
        for listed in added_objects(self._git, self._reach):
            if listed.type in ("blob", "tree"):
                paths.add(listed.path)
            if item := self._item(listed):
                yield item
        yield from name_items(sorted(paths))

    def _item(self, listed: Listed) -> Item | None:
        """Give the item of what is worth reading; trees hold names and ids only."""
        if listed.type == "commit":
            self.commits += 1
            self.commit_ids += bytes.fromhex(listed.id[: 2 * KNOWN_BYTES])
        elif listed.type == "missing":
            self._skipped.append(Skipped(listed.path or listed.id, f"object {listed.id} {NOT_HERE}"))
            return None
        return None if listed.type == "tree" else Item(listed.id, 0, listed.path)

    def _check_edge(self) -> None:
        """Note it when the range runs into the edge of a shallow clone."""
        edge = shallow_edge(self._git)
        if edge and not edge.isdisjoint(
            line.decode() for line in self._reach.fields(self._git, "rev-list", separator=b"\n")
        ):
            self._skipped.append(Skipped("", f"{_SHALLOW}; git fetch --unshallow fetches the rest"))

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the places of ``ids``: one a path, with its first commit, its last, and refs that reach it."""
        if not ids:
            return {}
        names = {path: name for name in ids if (path := named_path(name, FILE)) is not None}
        kinds = object_types(self._git, [name for name in ids if ":" not in name])
        blobs = [name for name, kind in kinds.items() if kind == "blob"]
        commits = [name for name, kind in kinds.items() if kind == "commit"]
        try:
            found = places(self._git, self._reach, blobs, commits, names)
        except SourceError as error:
            self._skipped.append(Skipped("", f"where findings stand in history is not known: {error.message}"))
            return {name: (Provenance("commit", ""),) for name in ids}
        tags = self._tags([name for name, kind in kinds.items() if kind == "tag"])
        return {**{names.get(name, name): tuple(where) for name, where in found.items()}, **tags}

    def _tags(self, tags: Sequence[str]) -> dict[str, tuple[Provenance, ...]]:
        """Give the places of annotated tags: the refs that name them, none for one that is being pushed."""
        if not tags:
            return {}
        people = signatures(self._git, tags)
        places: dict[str, tuple[Provenance, ...]] = {name: () for name in tags if name in people}
        for name, ref in tag_refs(self._git):
            if name in places:
                place = Provenance("tag", ref, name, *people[name], last_commit=name, refs=(ref,))
                places[name] = (*places[name], place)
        return {
            name: where or (Provenance("tag", "", name, *people[name], last_commit=name),)
            for name, where in places.items()
        }


def reach_of(revisions: Sequence[str]) -> Reach:
    """Part ``revisions`` into rev-list's options and revisions; raises UsageError for any other option."""
    options = tuple(word for word in revisions if word.startswith("-"))
    for option in options:
        if option.split("=")[0] not in _OPTIONS:
            raise UsageError(f"{option} is not a revision", hint=f"allowed options: {' '.join(_OPTIONS)}")
    return Reach(options, tuple(word for word in revisions if not word.startswith("-")))


def shallow_edge(git: Git) -> set[str]:
    """Give the commits whose parents a shallow clone left out."""
    file = git.folder / git.line("rev-parse", "--git-path", "shallow")
    try:
        return set(file.read_text("ascii", "replace").split())
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}") from error


def object_types(git: Git, ids: Iterable[str]) -> dict[str, str]:
    """Give the type of each of the objects ``ids`` that exists."""
    stdin = "".join(f"{name}\n" for name in ids).encode()
    lines = git.fields(
        "cat-file", "--buffer", "--batch-check=%(objectname) %(objecttype)", stdin=stdin, separator=b"\n"
    )
    pairs = (line.decode().split(" ", 1) for line in lines)
    return {name: kind for name, kind in pairs if kind != "missing"}
