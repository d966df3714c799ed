"""Hooks that install sets really stop a commit and a push, beside those that were there before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.credentials import Forge


class Clone:
    def __init__(self, base: Path) -> None:
        self.base = base
        self.folder = base / "clone with space"
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.folder)], check=True)
        for key, value in {"user.name": "T", "user.email": "t@example.com"}.items():
            self.git("config", key, value)

    def environment(self) -> dict[str, str]:
        beside = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # pre-commit is installed beside us
        own = {"HYGIENE_HOME": str(self.base / "home"), "HOME": str(self.base)}
        return {**os.environ, **own, "PATH": beside}

    def run(self, *command: str, cwd: Path | None = None):
        return subprocess.run(command, cwd=cwd or self.folder, env=self.environment(), capture_output=True, text=True)

    def git(self, *arguments: str):
        return self.run("git", *arguments)

    def install(self, *arguments: str):
        return self.run(sys.executable, "-m", "hygiene", "install", *arguments)

    def commit(self, name: str, text: str):
        (self.folder / name).write_text(text)
        self.git("add", name)
        return self.git("commit", "-qm", name)


@pytest.fixture
def clone(tmp_path) -> Clone:
    return Clone(tmp_path)


def leak(seed: int = 1) -> str:
    return f'token = "{Forge(seed).github()}"\n'


def hook(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_install_plain_repository_stops_a_leak_and_says_that_it_was_proved(clone):
    done = clone.install()
    assert done.returncode == 0, done.stderr
    assert "proved" in done.stderr
    assert clone.commit("clean.py", "x = 1\n").returncode == 0
    stopped = clone.commit("leak.py", leak())
    assert stopped.returncode != 0
    assert "leak.py:1" in stopped.stderr


def test_install_message_with_a_token_is_stopped(clone):
    clone.install()
    (clone.folder / "a").write_text("a\n")
    clone.git("add", "a")
    assert clone.git("commit", "-qm", "use " + Forge(2).github()).returncode != 0
    assert clone.git("commit", "-qm", "use a token").returncode == 0


def test_install_hook_of_another_tool_still_runs_and_still_refuses(clone):
    hook(clone.folder / ".git/hooks/pre-commit", "echo other ran >&2\ntest ! -e refuse")
    clone.install("--no-proof")
    assert "other ran" in clone.commit("a.py", "x = 1\n").stderr
    (clone.folder / "refuse").touch()
    assert clone.commit("b.py", "x = 2\n").returncode != 0
    (clone.folder / "refuse").unlink()
    assert clone.commit("leak.py", leak()).returncode != 0


def test_install_pre_push_gives_the_refs_to_both_hooks(clone):
    hook(clone.folder / ".git/hooks/pre-push", "cat > seen-by-other")
    clone.git("init", "-q", "--bare", str(clone.base / "remote"))
    clone.git("remote", "add", "origin", str(clone.base / "remote"))
    clone.commit("a.py", "x = 1\n")
    clone.install("--hook", "pre-push")
    assert clone.git("push", "-q", "origin", "main").returncode == 0
    assert "refs/heads/main" in (clone.folder / "seen-by-other").read_text()
    clone.commit("leak.py", leak())
    clone.git("rm", "-q", "leak.py")
    clone.git("commit", "-qm", "remove it again")
    pushed = clone.git("push", "-q", "origin", "main")
    assert pushed.returncode != 0
    assert "leak.py" in pushed.stderr


@pytest.mark.parametrize("where", [".husky", "absolute"])
def test_install_goes_where_hooks_path_points(clone, where):
    folder = clone.base / "hooks" if where == "absolute" else clone.folder / where
    clone.git("config", "core.hooksPath", str(folder) if where == "absolute" else where)
    assert clone.install().returncode == 0
    assert (folder / "pre-commit").exists()
    assert not (clone.folder / ".git/hooks/pre-commit").exists()
    assert clone.commit("leak.py", leak()).returncode != 0


def test_install_below_husky_tells_how_to_outlive_its_next_run(clone):
    clone.git("config", "core.hooksPath", ".husky/_")
    installed = clone.install()
    assert installed.returncode == 0
    assert ".husky/pre-commit    hygiene hook pre-commit" in installed.stderr
    assert clone.commit("leak.py", leak()).returncode != 0


def test_install_global_guards_later_clones_until_it_is_uninstalled(clone):
    hooks = clone.base / ".config/git/template/hooks"
    assert clone.install("--global").returncode == 0
    assert (hooks / "pre-commit").exists()
    clone.git("init", "-q", str(clone.base / "later"))
    assert (clone.base / "later/.git/hooks/pre-push").exists()
    assert clone.install("--global", "--uninstall").returncode == 0
    assert list(hooks.iterdir()) == []


def test_install_linked_worktree_is_guarded_too(clone):
    clone.commit("a.py", "x = 1\n")
    clone.install()
    clone.git("worktree", "add", "-q", str(clone.base / "linked"))
    (clone.base / "linked/leak.py").write_text(leak())
    clone.run("git", "add", "leak.py", cwd=clone.base / "linked")
    assert clone.run("git", "commit", "-qm", "x", cwd=clone.base / "linked").returncode != 0


def test_install_twice_is_the_same_and_uninstall_gives_back_what_was(clone):
    original = clone.folder / ".git/hooks/pre-commit"
    hook(original, "true")
    before = original.read_bytes()
    clone.install()
    first = original.read_bytes()
    again = clone.install()
    assert original.read_bytes() == first
    assert "kept" in again.stderr
    clone.install("--uninstall")
    assert original.read_bytes() == before
    left = {p.name for p in original.parent.iterdir() if not p.name.endswith(".sample")}
    assert left == {"pre-commit"}


def test_install_that_does_not_stop_the_canary_says_so(clone):
    hook(clone.folder / ".git/hooks/pre-commit", "true")
    clone.install("--no-proof")
    # a hook that was broken after it was written
    path = clone.folder / ".git/hooks/pre-commit"
    path.write_text(path.read_text().replace("hook pre-commit", "--version"))
    from hygiene.cli.canary import proves_itself

    assert "went through" in proves_itself(path.parent)


def test_install_framework_project_without_our_entry_is_told_what_to_add(clone):
    (clone.folder / ".pre-commit-config.yaml").write_text("repos: []\n")
    done = clone.install()
    assert done.returncode == 2
    assert "pass_filenames: false" in done.stderr


def test_install_framework_project_uses_the_framework(clone):
    program = Path(sys.executable).with_name("hygiene")
    (clone.folder / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: local\n  hooks:\n  - id: hygiene\n    name: hygiene\n    language: system\n"
        f"    entry: {program} hook auto\n    pass_filenames: false\n    always_run: true\n"
    )
    done = clone.run(sys.executable, "-m", "hygiene", "install")
    assert done.returncode == 0, done.stderr
    assert clone.commit("clean.py", "x = 1\n").returncode == 0
    assert clone.commit("leak.py", leak()).returncode != 0


def test_install_outside_of_a_repository_says_so(tmp_path):
    done = subprocess.run([sys.executable, "-m", "hygiene", "install"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 4
    assert "git repository" in done.stderr
