"""The whole history, of which an earlier scan has seen a part: reads what is new, and again what had matched."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hygiene.detect.seen import Memory, Notebook, Ref
from hygiene.detect.sources.commits import CommitsSource, object_types
from hygiene.detect.sources.graph import Reach
from hygiene.detect.sources.history import HistorySource
from hygiene.detect.sources.lineage import changes
from hygiene.detect.sources.listing import NOT_HERE
from hygiene.detect.sources.names import REF, name_items
from hygiene.detect.sources.protocol import Blob, Item
from hygiene.finding import Finding, Provenance, ScanResult, ScanStats, Skipped
from hygiene.git import Git

_FEW = 20  # moved refs that are looked at one by one
_TEXTS = ("message", "tag", "ref")  # places whose text is a part of what is remembered, not an object's content


class RememberedHistory:
    """A source over all refs of a repository, with a notebook."""

    commits = 0

    def __init__(self, folder: Path, notebook: Notebook) -> None:
        """Read the repository at ``folder``."""
        self._git = Git(folder)
        self._history = HistorySource(folder)
        self._notebook = notebook
        self._refs = _refs(self._git)
        self._memory = self._believed(notebook.read())
        self._again = 0  # bytes of known objects that were read again
        self._places: dict[str, tuple[Provenance, ...]] = {}
        self._new: CommitsSource | None = None
        if self._memory is not None and self._memory.refs != self._refs:
            self._new = self._added(folder, self._memory)

    def _believed(self, memory: Memory | None) -> Memory | None:
        """Give ``memory``, unless objects were missing that may have come since."""
        return None if memory and memory.packs and memory.packs != self._packs() else memory

    def _packs(self) -> tuple[str, ...]:
        return tuple(sorted(path.name for path in (self._git.common_dir() / "objects" / "pack").glob("*.pack")))

    def _added(self, folder: Path, memory: Memory) -> CommitsSource:
        self._olds = tuple(object_types(self._git, dict.fromkeys(ref.object for ref in memory.refs)))
        news = dict.fromkeys(ref.object for ref in self._refs if ref.object not in self._olds)
        return CommitsSource(folder, (*news, *(f"^{name}" for name in self._olds)))

    def items(self) -> Iterable[Item]:
        """List the objects in which the notebook's scan found something, and what is new since; without one, all."""
        if self._memory is None:
            yield from self._history.items()
            self.commits = self._history.commits
            return
        for name, path in self._memory.paths.items():
            yield Item(name, 0, path)
        if self._new is not None:
            known = {ref.name for ref in self._memory.refs}
            yield from name_items([ref.name for ref in self._refs if ref.name not in known], REF)
            yield from (item for item in self._new.items() if item.id not in self._memory.paths)
            self.commits = self._new.commits

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of ``items``."""
        known: Collection[str] = self._memory.paths if self._memory else ()
        for blob in self._history.read(items):
            if blob.id in known:
                self._again += len(blob.data)
            yield blob

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the places of ``ids``: from the notebook, as long as a new walk would not tell otherwise."""
        memory = self._memory
        if memory is None or not self._still_true(memory):
            self._places = dict(self._history.provenance(ids))
            return self._places
        tips = _moves(memory.refs, self._refs)
        old = {name: where for name, where in memory.places.items() if name in ids}
        self._places = {name: tuple(_moved(place, tips) for place in where) for name, where in old.items()}
        if self._new is not None:
            self._places |= self._new.provenance([name for name in ids if name not in memory.paths])
        return self._places

    def _still_true(self, memory: Memory) -> bool:
        """Say whether the remembered places hold, but for the tips that moved on.

        They do when refs only moved forward, over commits that nothing reached before and that touch none of the
        remembered objects. A stash is a commit beside the tip that takes things away, so with one nothing is sure.
        """
        if self._new is None:
            return True
        if any(ref.name == "refs/stash" for ref in self._refs):
            return False
        moved = set(_moves(memory.refs, self._refs).values())
        if [ref.name for ref in memory.refs] != [ref.name for ref in self._refs] or len(moved) > _FEW:
            return False
        stops = tuple(f"^{name}" for name in self._olds)
        if not all(self._moved_over_new_commits(before, after, stops) for before, after in moved):
            return False
        reach = Reach((), (*(after for _before, after in moved), *stops))
        return not any(
            name in memory.places for change in changes(self._git, reach) for name in (change.new, *change.olds)
        )

    def _moved_over_new_commits(self, before: str, after: str, stops: Sequence[str]) -> bool:
        return self._count(before, f"^{after}") == 0 and self._count(after, f"^{before}") == self._count(after, *stops)

    def _count(self, *revisions: str) -> int:
        stdin = "".join(f"{revision}\n" for revision in revisions).encode()
        return int(self._git.run("rev-list", "--count", "--stdin", stdin=stdin))

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        return [*self._history.skipped(), *(self._new.skipped() if self._new else ())]

    def completed(self, result: ScanResult) -> ScanResult:
        """Add to ``result`` what is known of the old part, and note the whole for the next scan."""
        if self._memory is not None:
            old, new = self._memory.stats, result.stats
            stats = ScanStats(
                blobs=old.blobs + new.blobs - len(self._memory.paths),
                bytes=old.bytes + new.bytes - self._again,
                commits=old.commits + new.commits,
            )
            skipped = tuple(sorted({*self._memory.skipped, *result.skipped}))
            result = result._replace(stats=stats, skipped=skipped)
        if not result.interrupted and not any(map(self._may_be_read_later, result.skipped)):
            memory = self._noted(result)
            if not _tells_a_value(memory, result.findings):
                self._notebook.write(memory)
        return result

    def _may_be_read_later(self, skip: Skipped) -> bool:
        """Say whether ``skip`` forbids a note: a single thing (a broken object, a dead worker) may be whole next time.

        What a partial clone left out comes in a new pack, with which no note is believed.
        """
        never_fetched = skip.reason.endswith(NOT_HERE) and self._history.is_partial()
        return skip.incomplete and bool(skip.path) and not never_fetched

    def _noted(self, result: ScanResult) -> Memory:
        paths = {name: where[0].path for name, where in self._places.items() if where}
        packs = self._packs() if result.incomplete else ()
        return Memory(self._refs, self._places, paths, result.stats, result.skipped, packs)


def _tells_a_value(memory: Memory, findings: Iterable[Finding]) -> bool:
    """Say whether a subject or a name in ``memory`` holds a value, as it is or, where one was found so, encoded.

    Such a history is read whole each time: what it would take to remember it must not be written down.
    """
    text = b"\n".join(map(os.fsencode, _texts(memory)))
    return any(
        finding.secret.reveal() in text or (finding.encoding != "" and finding.provenance[0].kind in _TEXTS)
        for finding in findings
    )


def _texts(memory: Memory) -> Iterator[str]:
    """Give all that repositories' people wrote in ``memory``."""
    yield from (ref.name for ref in memory.refs)
    yield from (f"{skip.path}\n{skip.reason}" for skip in memory.skipped)
    for name, where in memory.places.items():
        yield name
        for place in where:
            yield "\n".join((place.path, place.author, place.email, place.message_subject, *place.refs))


def _refs(git: Git) -> tuple[Ref, ...]:
    """Give all refs, HEAD first, and the stashes behind the newest."""
    head = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1, 128)).decode().strip()
    found = [Ref("HEAD", head, head)] if head else []
    for line in git.run("for-each-ref", "--format=%(objectname) %(*objectname) %(refname)").splitlines():
        direct, peeled, name = line.split(b" ", 2)
        found.append(Ref(os.fsdecode(name), direct.decode(), (peeled or direct).decode()))
    if any(ref.name == "refs/stash" for ref in found):
        stashes = git.run("rev-list", "--walk-reflogs", "refs/stash", "--", ok=(0, 128)).decode().split()
        found += [Ref(f"stash@{{{number}}}", name, name) for number, name in enumerate(stashes)]
    return tuple(found)


def _moves(before: Sequence[Ref], after: Sequence[Ref]) -> dict[str, tuple[str, str]]:
    """Give, by name, the old and the new commit of each ref that moved."""
    olds = {ref.name: ref.commit for ref in before}
    return {
        ref.name: (olds[ref.name], ref.commit) for ref in after if ref.name in olds and olds[ref.name] != ref.commit
    }


def _moved(place: Provenance, moves: Mapping[str, tuple[str, str]]) -> Provenance:
    """Give ``place`` with the nearest ref's new tip as its last commit, where it was the old one."""
    move = moves.get(place.refs[0]) if place.refs else None
    return place._replace(last_commit=move[1]) if move and place.last_commit == move[0] else place
