"""``hygiene secret delete`` and ``restore``."""

from __future__ import annotations

import sys

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.errors import NotFoundError, UsageError
from hygiene.reference import check_name


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--purge", is_flag=True, help="Delete for good: no way back.")
@store_option
@config_option
def delete(name: str, yes: bool, purge: bool, store_name: str, config_path: str | None) -> None:
    """Delete NAME; `restore` brings it back unless it was purged."""
    store = compose(config_path).store(store_name)
    if store.describe(check_name(name)) is None:
        raise NotFoundError(f"no secret {name} in {store.uri}", hint="hygiene secret list shows what is there")
    recoverable = not purge and store.capabilities.recoverable_delete
    _confirm(f"Delete {name}{'' if recoverable else ' for good'}?", yes)
    store.delete(name, recoverable=recoverable)
    notice(f"deleted {name}" + (f"; undo with: hygiene secret restore {name}" if recoverable else " for good"))


@click.command()
@click.argument("name")
@store_option
@config_option
def restore(name: str, store_name: str, config_path: str | None) -> None:
    """Bring back NAME, which was deleted."""
    compose(config_path).store(store_name).restore(check_name(name))
    notice(f"restored {name}")


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm the deletion", hint="add --yes")
    click.confirm(question, abort=True, err=True)


COMMANDS = (delete, restore)
