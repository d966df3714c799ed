"""Many secrets and two runners at once: each secret is rotated once, none is lost, the audit verifies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.forked import run_forked

HYGIENE = [sys.executable, "-m", "hygiene"]
SECRETS = int(os.environ.get("HYGIENE_TOGETHER", "10"))  # more for a thorough run
SCRIPT = """#!/bin/sh
told=$(cat)
value() { printf '%s' "$told" | sed -n "s/.*\\"$1\\": \\"\\([^\\"]*\\)\\".*/\\1/p"; }
case "$1" in
issue) echo >> issued; touch "valid/$(value new)" ;;
verify) test -e "valid/$(value current)" ;;
revoke) rm -f "valid/$(value old)" ;;
esac
"""


def forked(*arguments: str, stdin: str = "") -> str:
    done = run_forked(arguments, Path.cwd(), os.environ, stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("by_name", "jobs"), [(True, 4), (False, 100)], ids=["named", "due"])
def test_secrets_are_rotated_once_by_two_runners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_name: bool, jobs: int
) -> None:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("valid").mkdir()
    Path("rotate.sh").write_text(SCRIPT)
    Path("rotate.sh").chmod(0o755)
    Path(".hygiene.toml").write_text(
        '[[rotation.secrets]]\nnames = "*"\nprovider = "command"\n'
        'settings = { command = "./rotate.sh", overlap = "true" }\n'
    )
    names = [f"s/{number}" for number in range(SECRETS)]
    for name in names:
        Path(f"valid/first-{name[2:]}").touch()
        forked("secret", "put", name, stdin=f"first-{name[2:]}")
        forked("secret", "expire", name, "--now")
    chosen = names if by_name else ["--due", "--expired"]
    command = [*HYGIENE, "rotate", *chosen, "--json", "--jobs", str(jobs)]
    runners = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    results = [json.loads(runner.communicate(timeout=5000)[0]) for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0]
    outcomes = [(one["name"], one["outcome"]) for result in results for one in result]
    assert sorted(name for name, outcome in outcomes if outcome == "rotated") == sorted(names)
    assert {outcome for _, outcome in outcomes} <= {"rotated", "skipped"}
    assert Path("issued").read_text().count("\n") == SECRETS
    valid = {path.name for path in Path("valid").iterdir()}
    assert len(valid) == SECRETS
    for name in names:
        assert (value := forked("secret", "get", name)) in valid and value != f"first-{name[2:]}"
    assert not list((tmp_path / "home" / "journal").glob("*"))
    forked("audit", "verify")
