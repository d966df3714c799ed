"""What the README tells a newcomer to type is typed, in a fresh clone; only what would be fetched is there already."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.credentials import Forge

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text()
BLOCKS = {
    title: [line for line in block.splitlines() if line.strip()]
    for title, block in re.findall(r"^## (.*?)\n(?:(?!^## ).)*?^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
}
TWO = "From a clone to a blocked commit: two commands"
THREE = "From a clone to a finished migration: three"


class Newcomer:
    """Someone with a clone of this checkout and a home of their own."""

    def __init__(self, base: Path) -> None:
        self.clone = base / "hygiene"
        subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(self.clone)], check=True)
        for path in subprocess.run(
            ["git", "diff", "--name-only", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=True
        ).stdout.split():
            if (CHECKOUT / path).exists():  # what is not committed yet is tested, too
                (self.clone / path).write_bytes((CHECKOUT / path).read_bytes())
        environment = self.clone / ".venv"
        environment.mkdir()
        for part in Path(sys.prefix).iterdir():  # this environment stands in for the one that would be fetched
            (environment / part.name).symlink_to(part)
        (environment / "dev.stamp").unlink(missing_ok=True)
        (environment / "dev.stamp").touch()
        self.home = base / "home"
        self.home.mkdir()

    def types(self, line: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "HYGIENE_HOME"))}
        own = {"HOME": str(self.home), "GIT_AUTHOR_NAME": "N", "GIT_AUTHOR_EMAIL": "n@example.org"}
        own |= {"GIT_COMMITTER_NAME": "N", "GIT_COMMITTER_EMAIL": "n@example.org", "HYGIENE_HOME": str(self.home / "h")}
        return subprocess.run(
            ["bash", "-c", line], cwd=self.clone, env=kept | own, capture_output=True, text=True, timeout=200
        )

    def follows(self, title: str) -> list[subprocess.CompletedProcess[str]]:
        done = [self.types(line) for line in BLOCKS[title]]
        for line, one in zip(BLOCKS[title], done, strict=True):
            assert one.returncode == 0, (line, one.stdout, one.stderr)
        return done


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return Newcomer(tmp_path)


def test_readme_two_commands_lead_to_a_blocked_commit(newcomer):
    assert len(BLOCKS[TWO]) == 2
    *_, installed = newcomer.follows(TWO)
    assert "a commit with a planted credential is refused" in installed.stderr
    assert (newcomer.home / ".local/bin/hygiene").exists()
    (newcomer.clone / "leak.py").write_text(f'token = "{Forge(7).github()}"\n')
    stopped = newcomer.types("git add leak.py && git commit -qm leak")
    assert stopped.returncode != 0
    told = re.sub(r"v1:[0-9a-f]+", "v1:", stopped.stderr).rstrip("\n")
    assert told in re.sub(r"v1:[0-9a-f]+", "v1:", README)


def test_readme_three_commands_lead_to_a_finished_migration(newcomer):
    assert len(BLOCKS[THREE]) == 3
    *_, migrated = newcomer.follows(THREE)
    assert migrated.stdout in README
    assert newcomer.types(".venv/bin/hygiene scan ../shop").returncode == 0
    shop = newcomer.clone.parent / "shop"
    assert "os.environ" in (shop / "app.py").read_text()
