"""``hygiene access merge``: git's merge driver for the records of an embedded store in a repository."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hygiene.cli.compose import compose, config_option, notice
from hygiene.errors import SourceError, UsageError
from hygiene.fileio import write_atomic
from hygiene.git import Git, find_root

_DRIVER = "hygiene access merge %O %A %B %P"


@click.command()
@click.argument("base", type=click.Path(exists=True, dir_okay=False), required=False)
@click.argument("ours", type=click.Path(exists=True, dir_okay=False), required=False)
@click.argument("theirs", type=click.Path(exists=True, dir_okay=False), required=False)
@click.argument("path", required=False)
@click.option("--install", is_flag=True, help="Tell git in this repository to use it.")
@config_option
def merge(
    *, base: str | None, ours: str | None, theirs: str | None, path: str | None, install: bool, config_path: str | None
) -> None:
    """Merge two branches' records of one secret (called by git: %O %A %B %P)."""
    if install:
        _install()
        return
    if base is None or ours is None or theirs is None or path is None:
        raise UsageError("git calls this", hint="hygiene access merge --install sets it up")
    folder, marker, _ = path.partition("/secrets/")
    if not marker:
        raise UsageError(f"{path} is not a record of a store")
    composition = compose(config_path)
    store = composition.bare_store(f"embedded:{Path(folder).resolve()}")
    combine = getattr(store, "merge_records", None)
    if combine is None:
        raise UsageError(f"{store.uri} has no records to merge")
    with composition.recorder.access("access.merge", path):
        write_atomic(Path(ours), combine(Path(base).read_bytes(), Path(ours).read_bytes(), Path(theirs).read_bytes()))


def _install() -> None:
    root = find_root(Path.cwd())
    if root is None:
        raise SourceError("this is no git repository", hint="run it in the team's repository")
    git = Git(root)
    git.run("config", "merge.hygiene-record.name", "records of hygiene's embedded store")
    git.run("config", "merge.hygiene-record.driver", _DRIVER)
    notice(f"git in {os.fspath(root)} merges records by: {_DRIVER}")


COMMANDS = (merge,)
