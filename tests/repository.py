"""A real git repository for tests, made with git itself and nobody's configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann Author",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Carl Committer",
    "GIT_COMMITTER_EMAIL": "carl@example.com",
}


class Repository:
    """A repository at ``folder``; each commit is a day after the one before."""

    def __init__(self, folder: Path, *init: str) -> None:
        self.folder = folder
        self.day = 0
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *init)

    def git(self, *arguments: str | bytes, stdin: bytes = b"", **environment: str) -> str:
        """Run git; give its output without the final newline."""
        moment = f"{1_600_000_000 + self.day * 86400} +0100"
        dates = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **_ENVIRONMENT, **dates, **environment},
            input=stdin,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode()
        return os.fsdecode(done.stdout).rstrip("\n")

    def write(self, path: str | bytes, data: bytes) -> None:
        """Write a file of the working tree."""
        full = self.folder / os.fsdecode(path)
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(data)

    def commit(self, message: str = "change", **files: bytes) -> str:
        """Commit everything, after writing ``files`` (name to content); give the commit's id."""
        for path, data in files.items():
            self.write(path, data)
        self.day += 1
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "--no-verify", "-m", message)
        return self.git("rev-parse", "HEAD")

    def blob(self, data: bytes) -> str:
        """Give the id that ``data`` has as a blob."""
        return self.git("hash-object", "--stdin", stdin=data)
