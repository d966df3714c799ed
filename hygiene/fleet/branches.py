"""A migration branch in a repository: made in a clone of ours, and pushed back; nobody's working tree is touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from hygiene.errors import SourceError
from hygiene.fileio import make_private_folder
from hygiene.fleet.transport import NetworkGit
from hygiene.git import Git
from hygiene.prove.event import Recorder
from hygiene.replace.branch import commit, start_branch
from hygiene.replace.manifest import FILE_NAME, read_manifest
from hygiene.replace.migrate import Facts, Migration, begin
from hygiene.replace.migrations import open_migrations
from hygiene.replace.naming import slug
from hygiene.replace.plan import Naming, Place, Plan
from hygiene.replace.planning import build_plan
from hygiene.replace.rewriters.protocol import MANUAL, Style
from hygiene.replace.worktree import Worktree
from hygiene.store.protocol import Store

_NO_HOOKS = "--receive-pack=git -c core.hooksPath=/dev/null receive-pack"


class Migrated(NamedTuple):
    """What came of it: no commit means that nothing could be replaced."""

    commit: str
    problem: str  # what is left by hand


class Clone:
    """A clone that is gone again when its work is done."""

    def __init__(self, path: Path, origin: str, url: str) -> None:
        """Clone the repository at ``origin`` to ``path``; pushes go to ``url``, where it has one."""
        self.path = path
        self._origin = origin
        self._url = url
        self._keep = False

    def __enter__(self) -> Clone:
        make_private_folder(self.path.parent)
        shutil.rmtree(self.path, ignore_errors=True)
        git = NetworkGit(self.path.parent, self._origin)
        git.reach("clone", "--quiet", "--no-tags", "--", self._origin, os.fspath(self.path))
        self._introduce()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._keep:
            shutil.rmtree(self.path, ignore_errors=True)

    def keep(self) -> None:
        """Leave it where it is: its branch is not pushed."""
        self._keep = True

    def push(self, branch: str) -> None:
        """Push ``branch``; one of the same name that an earlier run left is replaced. Raises SourceError."""
        target = self._url or self._origin
        options = () if self._url else (_NO_HOOKS,)
        refspec = f"+refs/heads/{branch}:refs/heads/{branch}"
        NetworkGit(self.path, target).reach("push", "--quiet", *options, "--", target, refspec)

    def _introduce(self) -> None:
        """Let commits have an author where the user has not said who they are."""
        git = Git(self.path)
        for name, value in (("user.name", "hygiene"), ("user.email", "hygiene@localhost")):
            if not git.run("config", name, ok=(0, 1)).strip():
                git.run("config", name, value)


class Keeping(NamedTuple):
    """Where the value is kept."""

    name: str
    store: Store
    recorder: Recorder


def migrate_on_branch(clone: Clone, branch: str, places: Sequence[Place], keeping: Keeping) -> Migrated:
    """Replace ``places``, all of one value, by references to where it is kept, and commit that on ``branch``.

    The value is stored by the first repository and found there by the others. Raises HygieneError.
    """
    tree, store = Worktree(clone.path), keeping.store
    plan = _plan(tree, store, places, keeping.name)
    problem = "; ".join(f"{step.path}:{step.line}: {step.reason}" for step in plan.manual[:3])
    if not plan.files:
        return Migrated("", problem or "the value stands where nothing can be replaced")
    untracked = tree.untracked(file.path for file in plan.files)
    came_from = start_branch(tree.root, branch)
    migrations = open_migrations(tree.root)
    journal = begin(tree, plan, Facts(store.uri, Style(), branch, came_from), migrations.journal_path)
    outcome = Migration(tree, store, keeping.recorder, journal, plan).run()
    if not outcome.written:
        return Migrated("", "; ".join(left.reason for left in outcome.left) or problem)
    made = commit(tree.root, outcome, untracked)
    migrations.keep(journal)
    return Migrated(made, problem or "; ".join(f"{left.path}: {left.reason}" for left in outcome.left))


def _plan(tree: Worktree, store: Store, places: Sequence[Place], name: str) -> Plan:
    contents = {path: tree.content(path) for path in {place.path for place in places}}
    naming = Naming(slug(name), store.reference, {}, read_manifest(tree.root / FILE_NAME))
    proposed = build_plan(contents, places, naming)
    if len({step.name for step in proposed.steps if step.grade != MANUAL}) > 1:
        raise SourceError("one finding holds several values here", hint="hygiene migrate, in a clone")
    chosen = {step.id: (name, step.variable) for step in proposed.steps if step.grade != MANUAL}
    return build_plan(contents, [step.place for step in proposed.steps], naming._replace(chosen=chosen), spread=False)
