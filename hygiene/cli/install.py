"""``hygiene install``: hooks into this repository, proved with a planted canary."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click

from hygiene.cli.canary import proves_itself
from hygiene.cli.hookfiles import HOOKS, Change, install_files, program, uninstall_files
from hygiene.errors import ExitCode, SourceError, UsageError
from hygiene.git import Git, find_root

_FRAMEWORK_FILE = ".pre-commit-config.yaml"
_FRAMEWORK_ENTRY = """\
- repo: local
  hooks:
    - id: hygiene
      name: hygiene (secrets)
      language: system
      entry: {program} hook auto
      pass_filenames: false
      always_run: true
      require_serial: true
      stages: [pre-commit, pre-merge-commit, pre-push]
"""
_HUSKY = """\
husky writes this folder anew at each `npm install`, and our hooks are gone then.
To keep them, add to the files that it calls:
  .husky/pre-commit    hygiene hook pre-commit
  .husky/commit-msg    hygiene hook commit-msg "$1"
  .husky/pre-push      hygiene hook pre-push "$@"
"""


@click.command()
@click.option("--hook", "hooks", multiple=True, type=click.Choice(HOOKS), help="Only this hook; repeatable.")
@click.option("--global", "everywhere", is_flag=True, help="Into git's template folder: for clones made from now on.")
@click.option("--uninstall", is_flag=True, help="Take our hooks away, and put back what was there before.")
@click.option("--no-proof", is_flag=True, help="Don't try the hook out with a planted credential.")
def command(hooks: tuple[str, ...], everywhere: bool, uninstall: bool, no_proof: bool) -> int:
    """Install the git hooks that stop a credential before it is committed or pushed.

    A project that uses the pre-commit framework gets the framework's own hooks installed, if its
    .pre-commit-config.yaml names hygiene; any other gets plain git hooks, where `core.hooksPath` points. A hook
    of another tool stays and runs first. Afterwards a credential made on the spot is committed in a scratch
    repository: the hook must stop it.

    \b
    hygiene install                    all hooks, in this repository
    hygiene install --hook pre-push    only one
    hygiene install --global           for every clone made from now on
    hygiene install --uninstall        as it was before
    """
    if everywhere:
        template = _template_folder() / "hooks"
        changes = uninstall_files(template) if uninstall else install_files(template, hooks or HOOKS)
        return _report(changes, f"git's template folder, {template}")
    root = find_root(Path.cwd())
    if root is None:
        raise SourceError("this folder is not in a git repository", hint="run git init, or change folder")
    folder = Git(root).hooks_folder()
    if uninstall:
        return _report(uninstall_files(folder), str(folder))
    if (root / _FRAMEWORK_FILE).exists():
        return _framework(root, hooks or HOOKS)
    changes = install_files(folder, hooks or HOOKS)
    code = _report(changes, str(folder))
    if folder.name == "_" and folder.parent.name == ".husky":
        click.echo(_HUSKY, err=True)
    return code if no_proof or "pre-commit" not in (hooks or HOOKS) else _prove(folder)


def _prove(folder: Path) -> int:
    problem = proves_itself(folder)
    if problem:
        raise SourceError(f"the hook does not work: {problem}", hint="run hygiene doctor")
    click.echo("proved: a commit with a planted credential is refused, one without passes", err=True)
    return ExitCode.CLEAN


def _framework(root: Path, hooks: tuple[str, ...]) -> int:
    config = (root / _FRAMEWORK_FILE).read_bytes()
    if b"hygiene" not in config:
        entry = _FRAMEWORK_ENTRY.format(program=program())
        raise UsageError(
            f"this project uses the pre-commit framework, and {_FRAMEWORK_FILE} does not name hygiene",
            hint=f"add this under repos:, then run hygiene install again\n\n{entry}",
        )
    runner = shutil.which("pre-commit") or shutil.which("prek")
    if runner is None:
        raise UsageError("neither pre-commit nor prek is installed", hint="pip install pre-commit")
    wanted = [hook for hook in hooks if hook != "post-rewrite" or b"post-rewrite" in config]
    stages = [part for hook in wanted for part in ("-t", hook)]
    done = subprocess.run([runner, "install", *stages], cwd=root, stdout=sys.stderr)
    return ExitCode.CLEAN if done.returncode == 0 else ExitCode.INCOMPLETE


def _template_folder() -> Path:
    git = Git(Path.home())
    configured = git.line("config", "--global", "--type=path", "--default", "", "--get", "init.templateDir")
    if configured:
        return Path(configured)
    folder = Path.home() / ".config" / "git" / "template"
    folder.mkdir(parents=True, exist_ok=True)
    git.run("config", "--global", "init.templateDir", str(folder))
    return folder


def _report(changes: list[Change], place: str) -> int:
    for change in changes:
        click.echo(f"{change.did:8} {change.hook}", err=True)
    click.echo(f"in {place}", err=True)
    return ExitCode.CLEAN
