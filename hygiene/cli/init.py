"""``hygiene init``: looks at a repository and proposes what it lacks, each with its reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click

from hygiene.cli.baseline.create import create
from hygiene.cli.hookfiles import is_ours
from hygiene.cli.install import command as install
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.config import FILE_NAME as CONFIG
from hygiene.config import find_config
from hygiene.detect.baseline import FILE_NAME as BASELINE
from hygiene.detect.scan import scan
from hygiene.detect.sources.registry import open_source
from hygiene.detect.workers import usable_cores
from hygiene.errors import ExitCode, SourceError
from hygiene.fileio import write_atomic
from hygiene.finding import ScanResult
from hygiene.git import Git, find_root
from hygiene.report.terminal import printable
from hygiene.report.text import count

_MODE = 0o644
_VENDORED = ("vendor", "third_party", "node_modules")
_STORES = {  # what the environment shows → the store's URI
    "VAULT_ADDR": "vault://secret/{name}",
    "BAO_ADDR": "vault://secret/{name}",
    "CONJUR_APPLIANCE_URL": "conjur://{account}/{name}",
    "AWS_DEFAULT_REGION": "awssecrets:///{name}",
    "AWS_REGION": "awssecrets:///{name}",
}
_REASON = "was there when hygiene came"


class Proposal(NamedTuple):
    """Something that the repository lacks."""

    title: str
    why: str
    does: Callable[[], object]


@click.command("init", short_help="Set a repository up: configuration, baseline, hooks, store.")
@click.option("--yes", is_flag=True, help="Do all that is proposed, without asking.")
@click.option("--no-baseline", is_flag=True, help="Don't propose to accept what is there already.")
def command(yes: bool, no_baseline: bool) -> int:
    """Look at the repository around you, and propose what it lacks. Each step says why, and asks first.

    Without a terminal and without --yes it only says what it would do.

    \b
    hygiene init          ask about each step
    hygiene init --yes    do them all
    """
    root = find_root(Path.cwd())
    if root is None:
        raise SourceError("this folder is not in a git repository", hint="run git init, or change folder")
    done = asked = 0
    for proposal in _proposals(root, no_baseline=no_baseline):
        asked += 1
        click.echo(f"{proposal.title}\n    {proposal.why}")
        if yes or (sys.stdin.isatty() and click.confirm("    do it?", default=True)):
            proposal.does()
            done += 1
    click.echo(_ending(asked, done, yes), err=True)
    return ExitCode.CLEAN


def _ending(asked: int, done: int, yes: bool) -> str:
    if not asked:
        return "hygiene: nothing is missing; hygiene doctor checks that it works"
    if not done and not yes and not sys.stdin.isatty():
        return "hygiene: nothing was changed; hygiene init --yes does it"
    return f"hygiene: {done} of {count(asked, 'step')} done; hygiene doctor checks that it works"


def _proposals(root: Path, *, no_baseline: bool) -> Iterator[Proposal]:
    """Give what is missing, one after the other, so that a later look sees what an earlier step did."""
    if find_config(root, root) is None:
        text = config_text(root, os.environ)
        why = "says what is left out and accepted here, and which store secrets go to; every line in it can go"
        yield Proposal(f"write {CONFIG}", why, lambda: write_atomic(root / CONFIG, text.encode(), mode=_MODE))
    if not no_baseline and not (root / BASELINE).exists():
        found = _scan(root)
        if found.new:
            yield Proposal(f"accept {count(len(found.new), 'known finding')} in {BASELINE}", _about(found), _accept)
    hooks = Git(root).hooks_folder()
    if not is_ours(hooks / "pre-commit") and not (root / ".pre-commit-config.yaml").exists():
        why = "they stop the next credential before it is committed or pushed; hooks of other tools stay and run first"
        yield Proposal(f"install the hooks in {hooks}", why, lambda: _run(install, []))
    elif (root / ".pre-commit-config.yaml").exists() and not (hooks / "pre-commit").exists():
        why = "this project uses the pre-commit framework: its .pre-commit-config.yaml has to name hygiene"
        yield Proposal("install the hooks by pre-commit", why, lambda: _run(install, []))


def config_text(root: Path, environ: Mapping[str, str]) -> str:
    """Write a first configuration for the repository at ``root``; ``environ`` shows which store is used here."""
    lines = ["# What hygiene does here: docs/baseline.md, docs/rules.md and docs/stores of its documentation.", ""]
    vendored = [name for name in _VENDORED if (root / name).is_dir()]
    if vendored:
        globs = ", ".join(f'"{name}/**"' for name in vendored)
        lines += ["[scan]", f"exclude = [{globs}]     # other people's code; listed as skipped, never silent", ""]
    uri = next((uri for name, uri in _STORES.items() if environ.get(name)), "")
    if uri:
        named = uri.format(name=root.name, account=environ.get("CONJUR_ACCOUNT") or "default")
        lines += ["[stores.main]", f'uri = "{named}"     # hygiene migrate --store main', ""]
    else:
        lines += [
            "# Secrets go into the embedded store of each user, which is made at first use. For a team:",
            "# [stores.main]",
            '# uri = "embedded:secrets"     # a folder of this repository, encrypted to its members',
            "",
        ]
    return "\n".join(lines)


def _scan(root: Path) -> ScanResult:
    scanning = open_scanning(root, root, Wishes())
    source = open_source("directory", root)
    return scan(source, scanning.examiner, scanning.accepted, exclude=scanning.config.exclude, jobs=usable_cores())


def _about(found: ScanResult) -> str:
    worst = found.new[0]
    place = printable(f"{worst.description} in {worst.path}")
    return (
        f"so that only new ones stop you (such as {place}); they stay on record.\n"
        "    Better, where you can: answer no, and move them out with hygiene migrate --apply"
    )


def _accept() -> None:
    _run(create, ["--reason", _REASON])


def _run(chosen: click.Command, arguments: list[str]) -> None:
    chosen.main(arguments, prog_name=f"hygiene {chosen.name}", standalone_mode=False)
