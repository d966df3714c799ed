"""``kill -9`` all over ``migrate --apply``: what is resumed ends like an undisturbed run, and no value is ever lost.

The kill comes from strace, at the N-th call of a system call, so that the product knows nothing of it.
"""

from __future__ import annotations

import os
import random
import shutil
import string
import subprocess
import sys
from pathlib import Path

import pytest

from hygiene.cli.entry import run
from hygiene.config import Config
from hygiene.store.registry import open_store
from tests.unit.replace.migrating import git

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")]

POINTS = int(os.environ.get("KILL_POINTS", "105"))
CALLS = ("fsync", "rename", "link", "unlink", "write")
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
COMMAND = [sys.executable, "-m", "hygiene", "migrate", "--apply", "--jobs", "1"]


def token(chance: random.Random) -> str:
    return "zq_" + "".join(chance.choices(string.ascii_lowercase + string.digits, k=28))


def make_repository(root: Path) -> list[bytes]:
    """Make a repository with 10 secrets in 26 places; gives the values."""
    chance = random.Random(7)
    values = [token(chance) for _ in range(10)]
    files = {
        ".hygiene.toml": '[rules]\nfolders = ["rules"]\nonly = true\n',
        "rules/test.toml": RULE,
        ".gitignore": ".env\n",
    }
    for number, value in enumerate(values):
        other = values[(number + 1) % len(values)]
        files[f"app/part{number}.py"] = (
            f'import sys\n\ntoken_{number} = "{value}"\nurl = "https://u:{other}@example.org"\n'
        )
    for number in range(0, 6):
        files[f"bin/job{number}.sh"] = f"export TOKEN_{number}='{values[number]}'\n"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Begin")
    (root / ".env").write_text("".join(f"TOKEN_{number}={value}\n" for number, value in enumerate(values[:3])))
    return [value.encode() for value in values]


def tree(root: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(root.rglob("*")) if path.is_file() and ".git" not in path.relative_to(root).parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def stored() -> dict[str, tuple[bytes, int]]:
    """Give value and number of versions by name."""
    store = open_store("", Config(), notify=lambda key: None)
    return {told.name: (store.get(told.name).reveal(), len(told.versions)) for told in store.list()}


class Trial:
    """One copy of the repository and of an empty home."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "shop"
        self.home = folder / "home"
        self.values = make_repository(self.root)
        monkeypatch.setenv("HYGIENE_HOME", str(self.home))
        monkeypatch.chdir(self.root)

    def apply_under_strace(self, *options: str) -> subprocess.CompletedProcess[bytes]:
        log = self.root.parent / "strace.log"
        command = ["strace", "-qq", "-o", str(log), *options, *COMMAND]
        return subprocess.run(command, cwd=self.root, capture_output=True, timeout=120)

    def lost(self) -> list[bytes]:
        """Give the values that stand neither in the files nor in the store."""
        text = b"\n".join(tree(self.root).values())
        missing = [value for value in self.values if value not in text]
        if not missing:
            return []
        known = {value for value, _ in stored().values()}
        return [value for value in missing if value not in known]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HYGIENE_CACHE", str(folder / "cache"))
        trial = Trial(folder, monkeypatch)
        done = trial.apply_under_strace("-c", "-e", f"trace={','.join(CALLS)}")
        assert done.returncode == 0, done.stderr.decode()
        rows = [line.split() for line in (folder / "strace.log").read_text().splitlines()]
        counts = {row[-1]: int(row[3]) for row in rows if row and row[-1] in CALLS}
        yield tree(trial.root), stored(), counts, folder / "cache"


def chosen_points(counts: dict[str, int]) -> list[tuple[str, int]]:
    points = [(call, number) for call in CALLS for number in range(1, counts[call] + 1)]
    step = max(1.0, len(points) / POINTS)
    return [points[int(index * step)] for index in range(min(POINTS, len(points)))]


def test_migrate_killed_anywhere_resumes_to_the_same_end(undisturbed, tmp_path, monkeypatch, capfd):
    files, secrets, counts, cache = undisturbed
    monkeypatch.setenv("HYGIENE_CACHE", str(cache))
    points = chosen_points(counts)
    assert len(points) >= min(POINTS, 100)
    killed = 0
    for number, (call, when) in enumerate(points):
        folder = tmp_path / str(number)
        folder.mkdir()
        trial = Trial(folder, monkeypatch)
        done = trial.apply_under_strace("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}")
        killed += done.returncode in (137, -9)
        where = f"killed at {call} number {when}"
        assert trial.lost() == [], where
        assert run(["migrate", "--resume"]) == 0, (where, capfd.readouterr())
        if tree(trial.root) != files:  # killed before the journal was written: nothing had begun
            assert run(["migrate", "--apply"]) == 0, (where, capfd.readouterr())
        assert tree(trial.root) == files, where
        assert stored() == secrets, where
        journals = folder / "shop/.git/hygiene/journal"
        assert not journals.exists() or list(journals.iterdir()) == [], where
        shutil.rmtree(folder)
    assert killed == len(points)
