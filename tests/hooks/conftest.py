"""Repositories with our hook in them: as a plain git hook, through pre-commit, through prek."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hygiene.detect.template import fill_template

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def secret(seed: str) -> str:
    """Make a GitHub token that was never given out."""
    return fill_template("ghp_{b62:30}{crc62}", seed)


class Repository:
    """A git repository that is worked in as a person would."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def git(self, *arguments, ok=True, **options):
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=self.environment, capture_output=True, timeout=100, **options
        )
        if ok:
            assert done.returncode == 0, done.stderr.decode()
        return done

    def write(self, path: str | bytes, text: str | bytes) -> None:
        place = self.folder / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)

    def commit(self, *arguments):
        """Try to commit; gives the exit code and all that was said."""
        done = self.git("commit", "-qm", "change", *arguments, ok=False)
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


@pytest.fixture
def environment(tmp_path, monkeypatch):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    return kept | {
        "HOME": str(tmp_path / "home"),
        "PATH": f"{BIN}:{kept['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "PREK_HOME": str(tmp_path / "prek"),
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


@pytest.fixture
def plain(tmp_path, environment):
    """A repository with the shims of hooks/ as its hooks."""
    repository = Repository(tmp_path / "work", environment)
    repository.folder.mkdir()
    repository.git("init", "-q", "-b", "main")
    repository.git("config", "core.hooksPath", str(CHECKOUT / "hooks"))
    return repository


CONFIG = """\
repos:
- repo: local
  hooks:
  - {id: hygiene, name: hygiene, entry: hygiene hook auto, language: system, pass_filenames: false, always_run: true,
     require_serial: true, stages: [pre-commit, pre-merge-commit, pre-push, manual]}
  - {id: hygiene-commit-msg, name: message, entry: hygiene hook commit-msg, language: system, always_run: true,
     require_serial: true, stages: [commit-msg]}
"""


def framework(name, plain):
    plain.git("config", "--unset", "core.hooksPath")
    plain.write(".pre-commit-config.yaml", CONFIG)
    kinds = ("pre-commit", "pre-merge-commit", "pre-push", "commit-msg")
    types = [word for kind in kinds for word in ("-t", kind)]
    subprocess.run([BIN / name, "install", *types], cwd=plain.folder, env=plain.environment, check=True)
    return plain


@pytest.fixture(params=["git", "pre-commit", "prek"])
def repository(request, plain):
    """A repository with our hook, by each of the ways to set it up."""
    return plain if request.param == "git" else framework(request.param, plain)
