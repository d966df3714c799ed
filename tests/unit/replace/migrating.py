"""A small repository with secrets in it, and a migration of it into a store in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from hygiene.replace.manifest import read_manifest
from hygiene.replace.migrate import Facts, Migration, Outcome, begin
from hygiene.replace.migrations import open_migrations
from hygiene.replace.plan import Naming, Place, Plan
from hygiene.replace.planning import build_plan
from hygiene.replace.rewriters.protocol import Style
from hygiene.replace.worktree import Worktree, open_worktree
from tests.fakes.memory_recorder import MemoryRecorder
from tests.fakes.memory_store import MemoryStore
from tests.unit.replace.rewriting import marked


def git(root: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false"]
    return subprocess.run(["git", *settings, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


class Project:
    """A repository whose files hold secrets, marked ⟦so⟧ in what it is made from."""

    def __init__(self, root: Path, files: Mapping[str, str], untracked: Mapping[str, str] = {}) -> None:
        self.root = root
        self.places: list[Place] = []
        self.before: dict[str, bytes] = {}
        root.mkdir(parents=True, exist_ok=True)
        git(root, "init", "-q", "-b", "main")
        for name, text in {**files, **untracked}.items():
            self.write(name, text)
        git(root, "add", "--", *files)
        git(root, "commit", "-q", "-m", "Begin")
        self.store = MemoryStore()
        self.recorder = MemoryRecorder()

    def write(self, name: str, text: str) -> None:
        content, spans = marked(text)
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.before[name] = content
        for start, end in spans:
            fingerprint = f"{hash(content[start:end]) & 0xFFFF:x}"
            self.places.append(Place(name, start, end, content[:start].count(b"\n") + 1, "generic-secret", fingerprint))

    @property
    def tree(self) -> Worktree:
        return open_worktree(self.root)

    def plan(self, stored: Mapping[str, object] = {}) -> Plan:
        contents = {place.path: self.tree.content(place.path) for place in self.places}
        manifest = read_manifest(self.root / "secrets.toml")
        naming = Naming("shop", self.store.reference, stored, manifest)  # type: ignore[arg-type]
        return build_plan(contents, self.places, naming)

    def start(self, plan: Plan | None = None) -> Migration:
        plan = plan or self.plan()
        journal = begin(self.tree, plan, Facts("memory:", Style()), open_migrations(self.root).journal_path)
        return Migration(self.tree, self.store, self.recorder, journal, plan)

    def resume(self) -> Migration:
        journal = open_migrations(self.root).unfinished()
        assert journal is not None
        return Migration(self.tree, self.store, self.recorder, journal)

    def migrate(self) -> Outcome:
        migration = self.start()
        outcome = migration.run()
        open_migrations(self.root).keep(migration.journal)
        return outcome

    def contents(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.root).parts
        }
