"""Many secrets and two runners at once: each secret is rotated once, none is lost, the audit verifies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.slow
def test_due_secrets_are_rotated_once_by_two_runners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("valid").mkdir()
    Path("rotate.sh").write_text(SCRIPT)
    Path("rotate.sh").chmod(0o755)
    Path(".hygiene.toml").write_text(
        '[[rotation.secrets]]\nnames = "*"\nprovider = "command"\n'
        'settings = { command = "./rotate.sh", overlap = "true" }\n'
    )
    for number in range(SECRETS):
        Path(f"valid/first-{number}").touch()
        subprocess.run([*HYGIENE, "secret", "put", f"s/{number}"], input=f"first-{number}".encode(), check=True)
    command = [*HYGIENE, "rotate", *(f"s/{number}" for number in range(SECRETS)), "--json", "--jobs", "4"]
    runners = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    results = [json.loads(runner.communicate(timeout=600)[0]) for runner in runners]
    rotated = [one["name"] for result in results for one in result if one["outcome"] == "rotated"]
    assert set(rotated) == {f"s/{number}" for number in range(SECRETS)}
    assert Path("issued").read_text().count("\n") == len(rotated)
    valid = {path.name for path in Path("valid").iterdir()}
    assert len(valid) == SECRETS
    for number in range(SECRETS):
        value = subprocess.run([*HYGIENE, "secret", "get", f"s/{number}"], capture_output=True, check=True).stdout
        assert value.decode() in valid and value.decode() != f"first-{number}"
    assert not list((tmp_path / "home" / "journal").glob("*"))
    subprocess.run([*HYGIENE, "audit", "verify"], check=True)
