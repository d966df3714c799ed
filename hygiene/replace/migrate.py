"""The migration: stored and read back first, then replaced; resumable after a crash at any point.

The journal says what will happen before it happens. For each unit (secrets and files that belong together) all
secrets are stored and read back, then its files are written, each atomically. Whether a file was written is seen
by its hash, so nothing is done twice, and what someone else changed in between is noticed and left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from hygiene.errors import ConflictError
from hygiene.journal import Journal
from hygiene.prove.event import Recorder
from hygiene.replace.edits import apply_edits, digest
from hygiene.replace.journaled import (
    KeptEntry,
    KeptFile,
    Unit,
    file_from_json,
    file_to_json,
    kept_units,
    kept_wiring,
    unit_from_json,
    unit_to_json,
)
from hygiene.replace.manifest import FILE_NAME
from hygiene.replace.opened import open_file, rewrite_checked
from hygiene.replace.plan import Plan
from hygiene.replace.rewriters.protocol import Skip, Style
from hygiene.replace.storing import Storing
from hygiene.replace.undo import redo
from hygiene.replace.wiring import wired
from hygiene.replace.worktree import Worktree
from hygiene.secret import Secret
from hygiene.store.protocol import Store

JOB = "migrate"
Progress = Callable[[int, int], None]  # units done, units in all
_SHOWN_FILES = 20
_WRITERS = 8  # threads; a write mostly waits for its sync


class Left(NamedTuple):
    """A file that was not written, and why."""

    path: str
    reason: str


class Outcome(NamedTuple):
    """What a migration did."""

    stored: tuple[str, ...]  # names
    written: tuple[str, ...]  # paths, wiring included
    left: tuple[Left, ...]


class Facts(NamedTuple):
    """What a migration is started with, besides its plan."""

    store: str  # URI or name, as the user gave it
    style: Style
    branch: str = ""
    came_from: str = ""  # the branch that was checked out before
    commits: str = "one"  # on the branch: one, or each (a secret, or those that stand in the same files)


class _Rewritten(NamedTuple):
    after: bytes
    values: Mapping[str, Secret]  # by stored name


class Migration:
    """One migration of one working tree into one store."""

    def __init__(
        self, tree: Worktree, store: Store, recorder: Recorder, journal: Journal, plan: Plan | None = None
    ) -> None:
        """Go on with the migration of ``journal``; ``plan`` spares rewriting again where it is at hand."""
        self._tree = tree
        self._recorder = recorder
        self.journal = journal
        self._style = Style(*journal.facts["style"])
        self.units = [unit_from_json(unit) for unit in journal.facts["units"]]
        self._storing = Storing(store, journal)
        self._ready = _prepared(plan) if plan is not None else {}

    def run(self, progress: Progress = lambda done, total: None) -> Outcome:
        """Do all that is not done yet; raises what the store or the disk raise, and can then be resumed."""
        self._tree.sweep([*self.paths, FILE_NAME])
        left: list[Left] = []
        for number, unit in enumerate(self.units, 1):
            left += self._unit(unit)
            progress(number, len(self.units))
        skipped = {item.path for item in left}
        self._wire(skipped)
        files = [file.path for unit in self.units for file in unit.files if file.path not in skipped]
        return Outcome(
            tuple(sorted(self._storing.stored)), (*files, *(file.path for file in self._wiring())), tuple(left)
        )

    @property
    def paths(self) -> list[str]:
        """The files that the migration rewrites."""
        return [file.path for unit in self.units for file in unit.files]

    def _unit(self, unit: Unit) -> list[Left]:
        states = {file.path: self._tree.hash(file.path) for file in unit.files}
        waiting = [file for file in unit.files if states[file.path] != file.after]
        strange = {file.path for file in waiting if states[file.path] != file.before}
        begun = len(waiting) < len(unit.files)
        if strange and not begun:
            return [Left(file.path, _why(file.path in strange)) for file in unit.files]
        todo = [file for file in waiting if file.path not in strange]
        rewrites = {file.path: self._rewritten(file) for file in todo}
        values = {name: secret for rewrite in rewrites.values() for name, secret in rewrite.values.items()}
        self._storing.store(unit.entries, values)
        with ExitStack() as evidence:
            for entry in unit.entries if todo else ():
                evidence.enter_context(self._evidence(entry, todo))
            late = self._write(todo, rewrites)
        return [Left(path, _why(True)) for path in (*sorted(strange), *late)]

    def _write(self, files: Sequence[KeptFile], rewrites: Mapping[str, _Rewritten]) -> list[str]:
        """Write ``files``, and give those that were changed in the meantime; waits for disks in parallel."""

        def write(file: KeptFile) -> bool:
            unchanged = self._tree.hash(file.path) == file.before
            if unchanged:
                self._tree.write(file.path, rewrites[file.path].after)
            return unchanged

        if len(files) < _WRITERS:
            return [file.path for file in files if not write(file)]
        with ThreadPoolExecutor(_WRITERS) as pool:
            return [file.path for file, done in zip(files, pool.map(write, files), strict=True) if not done]

    def _rewritten(self, file: KeptFile) -> _Rewritten:
        if file.path in self._ready:
            return self._ready[file.path]
        content = self._tree.read(file.path) or b""
        opened = open_file(file.path, content)
        if isinstance(opened, Skip):
            raise ConflictError(f"{file.path}: {opened.reason}")
        targets = {opened.target(step.place, step.variable, step.reference): step for step in file.steps}
        rewrite = rewrite_checked(opened, list(targets), self._style)
        after = apply_edits(content, opened.original_edits(rewrite))
        if digest(after) != file.after:
            raise ConflictError(
                f"{file.path} would be rewritten in another way than the journal says",
                hint="hygiene was updated in between: undo with --rollback, then migrate again",
            )
        return _Rewritten(after, {targets[change.target].name: change.value for change in rewrite.changes})

    def _evidence(self, entry: KeptEntry, files: Sequence[KeptFile]) -> AbstractContextManager[object]:
        own = [file.path for file in files if any(step.name == entry.name for step in file.steps)]
        more = f" and {len(own) - _SHOWN_FILES} more" if len(own) > _SHOWN_FILES else ""
        return self._recorder.access(
            "migrate.replace",
            entry.reference,
            files=", ".join(own[:_SHOWN_FILES]).encode("utf-8", "replace").decode() + more,
            rule=entry.rule,
            fingerprint=entry.fingerprint,
        )

    # The wiring

    def _wire(self, left: set[str]) -> None:
        if not any(True for _ in self.journal.entries("wiring")):
            entries = [entry for unit in self.units for entry in unit.entries if not self._all_left(unit, left)]
            paths = [file.path for unit in self.units for file in unit.files if file.path not in left]
            wanted = wired(self._tree.read, entries, paths, self._tree.untracked(paths))
            kept = [kept_wiring(path, self._tree.read(path), after) for path, after in wanted.items()]
            self.journal.record("wiring", files=[file_to_json(file) for file in kept])
        for file in self._wiring():
            if self._tree.hash(file.path) == file.before:
                self._tree.write(file.path, redo(self._tree.read(file.path) or b"", file.inverses))

    def _all_left(self, unit: Unit, left: set[str]) -> bool:
        return all(file.path in left for file in unit.files)

    def _wiring(self) -> list[KeptFile]:
        return [file_from_json(file) for entry in self.journal.entries("wiring") for file in entry["files"]]


def begin(tree: Worktree, plan: Plan, facts: Facts, path: Path, notes: Sequence[Sequence[Any]] = ()) -> Journal:
    """Write the journal of a new migration to ``path``; nothing else happens yet.

    ``notes`` is kept for the text of the pull request.
    """
    return Journal.create(
        path,
        JOB,
        store=facts.store,
        style=list(facts.style),
        branch=facts.branch,
        came_from=facts.came_from,
        commits=facts.commits,
        notes=[list(note) for note in notes],
        head=tree.head(),
        units=[unit_to_json(unit) for unit in kept_units(plan)],
    )


def _prepared(plan: Plan) -> dict[str, _Rewritten]:
    names = {step.id: step.name for step in plan.steps}
    return {
        file.path: _Rewritten(
            file.after, {names[step]: change.value for step, change in zip(file.steps, file.changes, strict=True)}
        )
        for file in plan.files
    }


def _why(changed: bool) -> str:
    if changed:
        return "it was changed since it was scanned; run migrate again"
    return "it holds a secret that also stands in a file that was changed since; run migrate again"
