"""A repository with rules of its own, in which hooks run: as programs, so that what is imported is what is paid."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import Repository

RULES = """\
[provider]
id = "sample"
name = "Sample"
docs = "https://example.org"
verify = { steps = "Try it." }
rotate = { steps = "Make another." }
revoke = { steps = "Delete it." }
[[rules]]
id = "sample-token"
description = "Sample token"
severity = "critical"
confidence = "high"
impact = "Opens the sample."
keywords = ["tkn_"]
pattern = '''tkn_[A-Za-z0-9]{24}'''
positive = ["tkn_{b62:24}", "a = tkn_{b62:24}", "b: tkn_{b62:24}"]
negative = ["tkn_", "tkn_{b62:3}", "token"]
[[rules]]
id = "generic-password"
description = "Password"
severity = "high"
confidence = "medium"
impact = "Opens something."
generic = true
keywords = ["passw"]
before = ""
after = ""
pattern = '''(?i:passw(?:or)?d)[\\w.]* ?[=:]'''
positive = ["password = {b62:24}", "password: {b62:24}", "passwd={b62:24}"]
negative = ["pass", "word", "key = {b62:24}"]
"""
CONFIG = '[rules]\nfolders = ["rules"]\nonly = true\n'
TOKEN = ("tkn_" + "aK3vQ9xR7mW2pL5tB8nD4hJ6").encode()
PASSWORD = ("gT7#kVq" + "9zLw2!mX").encode()
_PROGRAM = """\
import sys
from hygiene.cli.entry import main
try:
    main({arguments!r})
finally:
    print("glance" if "hygiene.cli.boundary" not in sys.modules else "look")
"""


class Hooked(Repository):
    """A repository whose hook says how it came to its answer."""

    def stage(self, **files: bytes) -> None:
        for path, data in files.items():
            self.write(path, data)
        self.git("add", "-A")

    def hook(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run the hook; gives its exit code, and whether it took a glance or a look."""
        program = _PROGRAM.format(arguments=["hook", *(arguments or ("pre-commit",))])
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=self.folder, env={**os.environ, **environment}, capture_output=True
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done.returncode, done.stdout.decode().strip()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT", "HYGIENE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HYGIENE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def hooked(tmp_path: Path, cache: Path) -> Hooked:
    """A repository in which an ordinary scan has left everything ready, with a clean file staged."""
    repository = Hooked(tmp_path / "work")
    repository.write("rules/sample.toml", RULES.encode())
    repository.write(".hygiene.toml", CONFIG.encode())
    repository.commit()
    repository.stage(a=b"value = 1\n")
    assert repository.hook() == (0, "look")
    return repository
