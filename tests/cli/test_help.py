"""What a newcomer types first: ``hygiene --help``, and a tab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from hygiene.cli.contents import CONTENTS
from hygiene.cli.registry import COMMANDS, DIRECT

LISTED = [name for section in CONTENTS.values() for name in section]
HERE = Path(sys.executable).parent


def test_help_lists_each_public_command_once():
    public = [name for name, module in COMMANDS.items() if not import_module(module).command.hidden]
    assert sorted(LISTED) == sorted([*public, *DIRECT])


def test_help_imports_no_command():
    code = "import sys; from hygiene.cli.app import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert not set(COMMANDS.values()) & set(loaded)
    assert {"boto3", "git", "sqlalchemy"}.isdisjoint(loaded)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_script_completes_in_the_shell_itself(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    environment = os.environ | {"PATH": f"{HERE}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    made = subprocess.run([HERE / "hygiene", "completions", shell], capture_output=True, text=True, check=True).stdout
    script = tmp_path / "completions"
    script.write_text(made)
    ask = {
        "bash": f"source {script}; COMP_WORDS=(hygiene scan --his); COMP_CWORD=2; _hygiene_completion hygiene; "
        "printf '%s\\n' \"${COMPREPLY[@]}\"",
        # zsh completes only in its line editor: its function is asked for what it would add.
        "zsh": "compdef() { :; }; compadd() { print -l -- $@; }; _describe() { print -l -- ${(P)3}; }; "
        f"words=(hygiene scan --his); CURRENT=3; source {script}; _hygiene_completion",
        "fish": f"source {script}; complete -C 'hygiene scan --his'",
    }[shell]
    done = subprocess.run([shell, "-c", ask], env=environment, capture_output=True, text=True)
    assert "--history" in done.stdout, done.stdout + done.stderr
