"""Every command's complaint and exit code, held against tests/golden/errors.txt (write it anew: GOLDEN=1)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hygiene.cli.app import app
from hygiene.cli.boundary import run
from hygiene.cli.manual import topics

GOLDEN = Path(__file__).parents[1] / "golden" / "errors.txt"
TYPICAL = [
    ["scan", "nowhere"],
    ["scan", "--staged", "--history"],
    ["scan", "--range", "A"],
    ["scan", "--range", "gone..HEAD"],
    ["scan", "--format", "sarif", "--show-secrets"],
    ["scan", "--config", "nowhere.toml"],
    ["scan", "--baseline", "nowhere.json"],
    ["scan", "--rules", "nowhere"],
    ["baseline", "audit"],
    ["baseline", "prune"],
    ["rules", "explain", "github-pat-clasic"],
    ["rules", "check", "nowhere"],
    ["secret", "get", "nothing"],
    ["secret", "put", "../x"],
    ["secret", "describe", "nothing"],
    ["secret", "expire", "nothing", "--now"],
    ["secret", "get", "x", "--store", "nosuch://x"],
    ["run"],
    ["run", "--", "/nonexistent/program"],
    ["render", "nowhere"],
    ["migrate", "--apply", "--rollback"],
    ["migrate", "--branch", "x"],
    ["migrate", "--resume"],
    ["purge"],
    ["rotate"],
    ["rotate", "nothing"],
    ["rotate", "--resume"],
    ["revoke", "nothing"],
    ["verify"],
    ["audit", "accept", "v1:x", "--reason", "r", "--until", "soon"],
    ["install", "--hook", "post-nothing"],
    ["explain", "incompete"],
    ["completions", "tcsh"],
    ["demo", "--repository", "."],
    ["hook", "post-nothing"],
    ["guard", "too", "much"],
    ["scna"],
]


def unknown_options() -> list[list[str]]:
    """Give each command with an option that none has."""
    names = (topic.name.split()[1:] for topic in topics(app))
    return [[*name, "--no-such-option"] for name in names if name[:1] not in (["hook"], ["guard"])]


@pytest.fixture
def place(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "shop")], check=True)
    (tmp_path / "shop/README").write_text("text\n")
    for name in list(os.environ):
        if name.startswith(("GIT_", "VAULT_", "BAO_", "AWS_", "CONJUR_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path


def test_complaints_and_exit_codes_are_the_known_ones(place, capfd):
    told = []
    for arguments in [*TYPICAL, *unknown_options()]:
        with Path(os.devnull).open() as nothing, pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", nothing)
            code = run(list(arguments))
        said = capfd.readouterr()
        assert "Traceback" not in said.err and "internal error" not in said.err, (arguments, said.err)
        text = (said.err or said.out).replace(str(place), "PLACE").strip()
        told.append(f"$ hygiene {' '.join(arguments)}\n{text}\nexit {int(code)}\n")
    text = "\n".join(told)
    if os.environ.get("GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
