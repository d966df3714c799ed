"""``hygiene access approve`` and ``deny``."""

from __future__ import annotations

import click

from hygiene.cli.access.request import time_limited
from hygiene.cli.compose import compose, config_option, notice, store_option


@click.command()
@click.argument("id")
@store_option
@config_option
def approve(id: str, store_name: str, config_path: str | None) -> None:
    """Approve the request ID, which someone else made."""
    _decide(id, store_name, config_path, approved=True, reason="")


@click.command()
@click.argument("id")
@click.option("--reason", default="", help="Why not.")
@store_option
@config_option
def deny(id: str, reason: str, store_name: str, config_path: str | None) -> None:
    """Deny the request ID."""
    _decide(id, store_name, config_path, approved=False, reason=reason)


def _decide(id: str, store_name: str, config_path: str | None, *, approved: bool, reason: str) -> None:
    composition = compose(config_path)
    store = time_limited(composition.bare_store(store_name))
    action = "access.approve" if approved else "access.deny"
    with composition.recorder.access(action, id, reason=reason) as result:
        decided = store.decide_access(id, approved=approved, reason=reason)
        result.update(member=decided.member, paths=", ".join(decided.paths))
    until = f" until {decided.until:%Y-%m-%d %H:%M} UTC" if decided.until else ""
    notice(f"{id}: {', '.join(decided.paths)} is {decided.state} for {decided.member.split()[0]}{until}")


COMMANDS = (approve, deny)
