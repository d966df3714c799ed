"""``hygiene access recovery``: a new recovery key in place of one that was lost, or seen by somebody."""

from __future__ import annotations

import sys

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.errors import UsageError


@click.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
@store_option
@config_option
def recovery(yes: bool, store_name: str, config_path: str | None) -> None:
    """Make a new recovery key for the store, and shut the old one out.

    Every value is encrypted anew and marked due for rotation, since the old key could read it. By an owner.
    """
    composition = compose(config_path)
    store = composition.bare_store(store_name)
    renew = getattr(store, "renew_recovery", None)
    if renew is None:
        raise UsageError(f"{store.uri} has no recovery key", hint="its own administration knows who opens it")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to confirm", hint="add --yes")
        click.confirm("The old recovery key will open nothing. Go on?", abort=True, err=True)
    with composition.recorder.access("access.recovery", store.uri) as result:
        changes = renew(_show)
        result["changes"] = str(len(changes))
    notice(f"{len(changes)} change(s) made; the old recovery key opens nothing that is written from now on")


def _show(key: str) -> None:
    lines = (
        "the new recovery key opens everything should your identity be lost.",
        "It is shown only this once; keep it offline, and destroy the old one:",
    )
    print("".join(f"hygiene: {line}\n" for line in lines) + f"\n    {key}\n", file=sys.stderr, flush=True)


COMMANDS = (recovery,)
