"""``hygiene fleet remove``: a source that is not to be scanned any more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from hygiene.cli.compose import notice
from hygiene.cli.fleet.opening import database_option, open_database
from hygiene.errors import ExitCode
from hygiene.fleet.inventory.removing import remove_source
from hygiene.fleet.inventory.trend import take_snapshot
from hygiene.fleet.key import fleet_folder


@click.command("remove", short_help="Forget a source of repositories.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE…")
@click.option("--mirrors", type=click.Path(file_okay=False, path_type=Path), help="Folder of the mirrors.")
@database_option
def command(*, sources: tuple[str, ...], mirrors: Path | None, database: str) -> int:
    """Forget a folder, a list file, github:ORG or gitlab:GROUP: its repositories, and what was found in them.

    Clones that were scanned where they lie are not touched; mirrors that scans have made are deleted. A repository
    that another source lists, too, is scanned anew by the next scan.
    """
    inventory = open_database(database)
    for text in sources:
        kind, location = _named(text)
        removed = inventory.run(lambda session, kind=kind, place=location: remove_source(session, kind, place))  # type: ignore[misc]
        for path in map(Path, removed.mirrors):
            if path.parent.resolve() == (mirrors or fleet_folder() / "mirrors").resolve():
                shutil.rmtree(path, ignore_errors=True)
        notice(f"removed: {removed.source}, with {removed.repositories} repositories and what was found in them")
    inventory.run(take_snapshot)
    return ExitCode.CLEAN


def _named(text: str) -> tuple[str, str]:
    """Tell what is meant, also by a path that is gone."""
    kind, colon, rest = text.partition(":")
    return (kind, rest) if colon and kind in ("github", "gitlab") else ("", os.fspath(Path(text).resolve()))
