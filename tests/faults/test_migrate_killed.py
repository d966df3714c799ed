"""``kill -9`` all over ``migrate --apply``: what is resumed ends like an undisturbed run, and no value is ever lost.

The kill comes from strace, at the N-th call of a system call, so that the product knows nothing of it. It falls on
every write and sync of the journal, and on random calls besides; one resume in three is killed as well. The default is
small; ``KILL_FULL=1`` takes 100 secrets in 300 places and 200 random points, about half an hour of processor time, in
four parts that ``-n`` may run side by side.
"""

from __future__ import annotations

import os
import random
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from hygiene.cli.boundary import run
from hygiene.config import Config
from hygiene.store.registry import open_store
from tests.unit.replace.migrating import git

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")]

FULL = bool(os.environ.get("KILL_FULL"))
SECRETS, PLACES, POINTS = (100, 300, 200) if FULL else (10, 30, 12)
PARTS = 4 if FULL else 1
LONGEST = 1800  # seconds; on a busy machine strace makes a run very slow
CALLS = ("fsync", "rename", "link", "unlink", "write")
JOURNAL = ".git/hygiene/journal/migrate.jsonl"
RULE = """
[provider]
id = "test"
name = "Test"
docs = "https://example.org"
[[rules]]
id = "test-token"
description = "A token of this test"
severity = "high"
confidence = "high"
keywords = ["zq_"]
pattern = '''(zq_[a-z0-9]{28})'''
positive = []
negative = []
"""
APPLY = ("migrate", "--apply", "--jobs", "1")
RESUME = ("migrate", "--resume")


class Point(NamedTuple):
    """Where a run is killed: at the call's N-th time, of all files or of one."""

    call: str
    when: int
    path: str = ""


def token(chance: random.Random) -> str:
    return "zq_" + "".join(chance.choices(string.ascii_lowercase + string.digits, k=28))


def make_repository(root: Path) -> list[bytes]:
    """Make a repository with SECRETS secrets in PLACES places, in units of two secrets or so; gives the values."""
    chance = random.Random(7)
    values = [token(chance) for _ in range(SECRETS)]
    files = {
        ".hygiene.toml": '[rules]\nfolders = ["rules"]\nonly = true\n',
        "rules/test.toml": RULE,
        ".gitignore": ".env\n",
    }
    kept = 3
    places = PLACES - kept
    for number, value in enumerate(values):
        other = values[number ^ 1]
        url = f'url = "https://u:{other}@example.org"\n' if number * 2 + 1 < places else ""
        files[f"app/part{number}.py"] = f'import sys\n\ntoken_{number} = "{value}"\n{url}'
    for number in range(places - 2 * SECRETS):
        files[f"bin/job{number}.sh"] = f"export TOKEN_{number}='{values[number]}'\n"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Begin")
    (root / ".env").write_text("".join(f"TOKEN_{number}={value}\n" for number, value in enumerate(values[:kept])))
    return [value.encode() for value in values]


def tree(root: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(root.rglob("*")) if path.is_file() and ".git" not in path.relative_to(root).parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def stored() -> dict[str, tuple[bytes, int]]:
    """Give value and number of versions by name."""
    store = open_store("", Config(), notify=lambda key: None)
    return {told.name: (store.get(told.name).reveal(), len(told.versions)) for told in store.list()}


class Trial:
    """One copy of the repository, and an empty home."""

    def __init__(self, folder: Path, origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "shop"
        shutil.copytree(origin, self.root)
        monkeypatch.setenv("HYGIENE_HOME", str(folder / "home"))
        monkeypatch.chdir(self.root)

    def run_under_strace(self, command: Sequence[str], *options: str) -> subprocess.CompletedProcess[bytes]:
        log = self.root.parent / "strace.log"
        whole = ["strace", "-qq", "-o", str(log), *options, sys.executable, "-m", "hygiene", *command]
        return subprocess.run(whole, cwd=self.root, capture_output=True, timeout=LONGEST)

    def count(self, command: Sequence[str], *options: str) -> dict[str, int]:
        """Run ``command``, and give how often it makes each call."""
        done = self.run_under_strace(command, "-c", "-e", f"trace={','.join(CALLS)}", *options)
        assert done.returncode == 0, done.stderr.decode()
        rows = [line.split() for line in (self.root.parent / "strace.log").read_text().splitlines()]
        return {row[-1]: int(row[3]) for row in rows if row and row[-1] in CALLS}

    def kill(self, command: Sequence[str], point: Point) -> bool:
        """Run ``command`` and kill it at ``point``; says whether the kill came before its end."""
        only = ["-P", str(self.root / point.path)] if point.path else []
        inject = f"inject={point.call}:signal=KILL:when={point.when}"
        return self.run_under_strace(command, *only, "-e", f"trace={point.call}", "-e", inject).returncode in (137, -9)

    def lost(self, values: Sequence[bytes]) -> list[bytes]:
        """Give the values that stand neither in the files nor in the store."""
        text = b"\n".join(tree(self.root).values())
        missing = [value for value in values if value not in text]
        known = {value for value, _ in stored().values()} if missing else set()
        return [value for value in missing if value not in known]


class Undisturbed(NamedTuple):
    """A migration that ran to its end."""

    origin: Path
    values: list[bytes]
    files: Mapping[str, bytes]
    secrets: Mapping[str, tuple[bytes, int]]
    points: list[Point]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HYGIENE_CACHE", str(folder / "cache"))
        values = make_repository(folder / "origin")
        assert len(values) == SECRETS and sum(text.count(b"zq_") for text in tree(folder / "origin").values()) == (
            PLACES + RULE.count("zq_")
        )
        counting = folder / "counting"
        counting.mkdir()
        journal = str(counting / "shop" / JOURNAL)
        steps = Trial(counting, folder / "origin", monkeypatch).count(APPLY, "-P", journal)
        trial = Trial(folder, folder / "origin", monkeypatch)
        calls = trial.count(APPLY)
        points = [Point(call, number, JOURNAL) for call in CALLS for number in range(1, steps.get(call, 0) + 1)]
        everywhere = [Point(call, number) for call in CALLS for number in range(1, calls[call] + 1)]
        points += random.Random(3).sample(everywhere, min(POINTS, len(everywhere)))
        yield Undisturbed(folder / "origin", values, tree(trial.root), stored(), points)


def resumed(trial: Trial, undisturbed: Undisturbed, chance: random.Random) -> None:
    """Resume, killed once more in one case of three; then to the end."""
    if chance.random() < 1 / 3:
        trial.kill(RESUME, Point(chance.choice(CALLS), chance.randint(1, 40)))
        assert trial.lost(undisturbed.values) == []
    assert run(list(RESUME)) == 0
    if tree(trial.root) != undisturbed.files:  # killed before the journal was written: nothing had begun
        assert run(list(APPLY)) == 0


@pytest.mark.parametrize("part", range(PARTS))
def test_migrate_killed_anywhere_resumes_to_the_same_end(undisturbed, tmp_path, monkeypatch, part):
    monkeypatch.setenv("HYGIENE_CACHE", str(undisturbed.origin.parent / "cache"))
    chance = random.Random(5 + part)
    assert len(undisturbed.points) > POINTS  # the journal's steps, too
    for number, point in enumerate(undisturbed.points[part::PARTS]):
        folder = tmp_path / str(number)
        folder.mkdir()
        trial = Trial(folder, undisturbed.origin, monkeypatch)
        assert trial.kill(APPLY, point), point
        assert trial.lost(undisturbed.values) == [], point
        resumed(trial, undisturbed, chance)
        assert tree(trial.root) == undisturbed.files, point
        assert stored() == undisturbed.secrets, point
        assert not list((trial.root / JOURNAL).parent.glob("*")), point
        shutil.rmtree(folder)
