"""How far refs have moved since a scan, and whether what it found still stands where it did."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from hygiene.detect.seen import Memory
from hygiene.detect.sources import refs
from hygiene.detect.sources.commits import KNOWN_BYTES, object_types
from hygiene.detect.sources.graph import Reach
from hygiene.detect.sources.lineage import changes
from hygiene.finding import Finding, Provenance
from hygiene.git import Git

_FEW_MOVES = 20  # different moves that are looked at one by one
_FEW_COMMITS = 2000  # new commits that are looked at one by one
_STOPS = 500  # old tips at which the listing of what is new stops; with fewer it lists more than is new


class Advance:
    """From the refs of a scan to those of now."""

    def __init__(self, git: Git, memory: Memory, listing: bytes) -> None:
        """Compare ``memory`` with ``listing``, the refs of now."""
        self._git = git
        self._memory = memory
        self._listing = listing
        self.changed = refs.digest(listing) != memory.digest
        self._moves = refs.moves(memory.refs, listing) if self.changed else refs.Moves({}, {}, {})

    @property
    def news(self) -> list[str]:
        """The objects that refs point at and that none did before, each once."""
        news = [*(new for _, new in self._moves.moved.values()), *self._moves.added.values()]
        return list(dict.fromkeys(news))

    def new_names(self) -> Iterator[str]:
        """Give the names of the refs that are new."""
        if self._moves.added:
            names = refs.names(self._listing)
            yield from (names[digest] for digest in self._moves.added)

    def revisions(self) -> tuple[str, ...]:
        """Give what lists the new objects: the new tips, and old ones to stop at."""
        return (*self.news, *(f"^{name}" for name in self._stops))

    @cached_property
    def _stops(self) -> list[str]:
        moved = [old for old, _ in self._moves.moved.values()]
        others = refs.objects(self._memory.refs, _STOPS)
        return list(object_types(self._git, dict.fromkeys((*moved, *self._moves.gone.values(), *others))))

    @cached_property
    def leaves_places(self) -> bool:
        """Whether the remembered places hold, but for the tips that moved on.

        They do when refs only moved forward, over commits that nothing reached before and that touch none of the
        remembered objects. A stash is a commit beside the tip that takes things away, so with one nothing is sure.
        """
        if not self.changed:
            return True
        steps = set(self._moves.moved.values())
        if self._moves.added or self._moves.gone or len(steps) > _FEW_MOVES or b" refs/stash\n" in self._listing:
            return False
        kinds = object_types(self._git, {name for step in steps for name in step})
        if any(kinds.get(name) != "commit" for step in steps for name in step):
            return False
        return all(self._is_new_way(before, after) for before, after in steps) and not self._touches_known(steps)

    def _is_new_way(self, before: str, after: str) -> bool:
        """Say whether ``after`` lies ahead of ``before``, along first parents too, and all between is new."""
        if self._count(before, f"^{after}"):
            return False
        ahead = self._commits("--first-parent", "--parents", after, f"^{before}")
        if not ahead or ahead[-1].split(" ")[1:2] != [before]:
            return False  # the first commit, under whose id leaks are named, may be another
        way = self._commits(after, f"^{before}")
        return len(way) <= _FEW_COMMITS and not any(map(self._was_there, way))

    def _was_there(self, commit: str) -> bool:
        known, wanted = self._memory.commits, bytes.fromhex(commit)[:KNOWN_BYTES]
        at = known.find(wanted)
        while at >= 0 and at % KNOWN_BYTES:
            at = known.find(wanted, at + 1)
        return at >= 0

    def _touches_known(self, steps: set[tuple[str, str]]) -> bool:
        reach = Reach((), tuple(name for before, after in steps for name in (after, f"^{before}")))
        known = self._memory.paths
        return any(
            name in known
            for change in changes(self._git, reach.commits(self._git))
            for name in (change.new, *change.olds)
        )

    def _count(self, *revisions: str) -> int:
        return int(self._git.run("rev-list", "--count", *revisions, "--"))

    def _commits(self, *arguments: str) -> list[str]:
        return self._git.run("rev-list", f"--max-count={_FEW_COMMITS + 1}", *arguments, "--").decode().splitlines()

    def placed(self, finding: Finding) -> Finding:
        """Give ``finding`` with the tips of now, where it was the tip of then that held it last."""
        if not self._moves.moved:
            return finding
        return finding._replace(provenance=tuple(map(self._moved, finding.provenance)))

    def _moved(self, place: Provenance) -> Provenance:
        """Give ``place`` with the nearest ref's new tip as its last commit, where it was the old one."""
        step = self._by_name.get(place.refs[0]) if place.refs else None
        return place._replace(last_commit=step[1]) if step and place.last_commit == step[0] else place

    @cached_property
    def _by_name(self) -> dict[str, tuple[str, str]]:
        names = refs.names(self._listing)
        return {names[digest]: step for digest, step in self._moves.moved.items()}
