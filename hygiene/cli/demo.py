"""``hygiene demo``: once round the loop, on a small repository with credentials made on the spot."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import click

from hygiene.cli.demofiles import commit, write_shop
from hygiene.cli.demoservice import Service, new_token
from hygiene.errors import ExitCode, HygieneError
from hygiene.fileio import make_private_folder
from hygiene.report.terminal import printable

_LINES = 8  # of a step's output
_NOBODY = "127.0.0.1:9"  # the discard port: no service listens


@click.command()
@click.option(
    "--keep", type=click.Path(path_type=Path, file_okay=False), help="Make it in this empty folder, and keep it."
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="Only make the repository, in this new folder, to try the commands on.",
)
def command(keep: Path | None, repository: Path | None) -> int:
    """Go once round the loop: found, stored, replaced, rotated, proved.

    Makes a small repository and a little service on the loopback interface, both with credentials made on the spot,
    and runs the commands that a person would type. Nothing leaves this machine; your own store and audit log are not
    touched.

    \b
    hygiene demo                      the whole loop, and nothing is left of it
    hygiene demo --repository shop    a repository with leaks, for you to go on with
    """
    for folder in filter(None, (keep, repository)):
        if folder.exists() and any(folder.iterdir()):
            raise click.UsageError(f"{folder} is not empty")
    if repository is not None:
        return _make_repository(repository)
    place = tempfile.TemporaryDirectory(prefix="hygiene-demo-") if keep is None else nullcontext(str(keep))
    with place as name, Service() as service:
        _Demo(make_private_folder(Path(name).resolve()), service).run()
    return ExitCode.CLEAN


def _make_repository(folder: Path) -> int:
    """Make the shop without its service: a repository to scan and to migrate."""
    folder.mkdir(parents=True, exist_ok=True)
    write_shop(folder, _NOBODY, new_token())
    click.echo(f"a repository with three leaks is in {folder}; on with: hygiene scan {folder}", err=True)
    return ExitCode.CLEAN


class _Demo:
    def __init__(self, base: Path, service: Service) -> None:
        self._shop = base / "shop"
        self._home = base / "home"
        self._service = service

    def run(self) -> None:
        token = self._service.issue()
        self._shop.mkdir()
        write_shop(self._shop, self._service.address, token)
        self._say("A shop's repository. Its API token was committed in two files, its database password in a third.")
        self._step("found: in the history, each with its place", ["scan", "--history"], 1)
        self._step("stored, read back, then replaced by references", ["migrate", "--apply"], 0)
        self._show("app.py", "API_TOKEN")
        commit(self._shop, "Move the credentials out")
        self._step("nothing is left in the files", ["scan"], 0)
        self._step("the program still works", ["run", "--", sys.executable, "app.py"], 0)
        self._step(
            "what leaked is replaced at its provider; what has no API waits for a person", ["rotate", "--leaked"], 1
        )
        self._check(not self._service.knows(token), "the leaked token still works")
        self._say("(the service was asked: the leaked token is dead)")
        self._step(
            "the program works on, with the new token, and nobody touched it",
            ["run", "--", sys.executable, "app.py"],
            0,
        )
        self._step("proved: the story of each exposure", ["audit", "exposures"], None)
        self._step("and the log of it all is whole", ["audit", "verify"], 0)

    def _step(self, title: str, arguments: list[str], expected: int | None) -> None:
        click.echo(click.style(f"\n# {title}", bold=True))
        shown = ["python" if part == sys.executable else part for part in arguments]
        click.echo(click.style(f"$ hygiene {shlex.join(shown)}", fg="green"))
        environment = {**os.environ, "HYGIENE_HOME": str(self._home), "NO_COLOR": "1"}
        environment.pop("HYGIENE_CONFIG", None)
        done = subprocess.run(
            [sys.executable, "-m", "hygiene", *arguments],
            cwd=self._shop,
            env=environment,
            capture_output=True,
            text=True,
        )
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        for line in lines[:_LINES]:
            click.echo("  " + printable(line.replace("hygiene: ", "")))
        if len(lines) > _LINES:
            click.echo(f"  … {len(lines) - _LINES} more lines")
        self._check(expected is None or done.returncode == expected, f"it ended with {done.returncode}, not {expected}")

    def _show(self, name: str, word: str) -> None:
        for line in (self._shop / name).read_text().splitlines():
            if word in line:
                click.echo(f"  {name}: {line}")
                return

    def _say(self, text: str) -> None:
        click.echo(text)

    def _check(self, holds: bool, problem: str) -> None:
        if not holds:
            raise HygieneError(f"the demo did not go as it should: {problem}", hint="please report this")
