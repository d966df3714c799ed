"""``hygiene access plan``, ``apply`` and ``check``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.cli.secret.show import echo_json
from hygiene.errors import ExitCode, UsageError
from hygiene.report.terminal import printable
from hygiene.store.protocol import AccessChange, Governed, Store


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def plan(as_json: bool, store_name: str, config_path: str | None) -> None:
    """Show what `apply` would change, and the policies that it would write."""
    composition = compose(config_path)
    changes = governed(composition.bare_store(store_name)).plan_access(composition.config.roles)
    _show(changes, as_json)
    notice(f"{len(changes)} change(s); hygiene access apply makes them" if changes else "nothing to change")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def apply(as_json: bool, store_name: str, config_path: str | None) -> None:
    """Make the store enforce the roles of the configuration."""
    composition = compose(config_path)
    store = composition.bare_store(store_name)
    with composition.recorder.access("access.apply", store.uri) as result:
        changes = governed(store).apply_access(composition.config.roles)
        result["changes"] = "; ".join(f"{change.action} {change.object}" for change in changes) or "none"
    _show(changes, as_json)
    notice(f"{len(changes)} change(s) made" if changes else "nothing to change")


@click.command()
@click.option("--accept", is_flag=True, help="Take the store as it stands for the newest state, after going back.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def check(accept: bool, as_json: bool, store_name: str, config_path: str | None) -> int:
    """Verify what the store holds, and that it enforces the roles; exits 5 where not."""
    composition = compose(config_path)
    store = composition.bare_store(store_name)
    if accept:
        with composition.recorder.access("access.accept", store.uri):
            forget = getattr(store, "accept_present", None)
            if forget is None:
                raise UsageError(f"{store.uri} keeps its own history: there is nothing to accept")
            forget()
    # Verifying opens each value that this identity may read.
    with composition.recorder.access("access.check", store.uri):
        changes = governed(store).check_access(composition.config.roles)
    _show(changes, as_json)
    notice(f"{len(changes)} problem(s)" if changes else "all is as it should be")
    return ExitCode.STORE if changes else ExitCode.CLEAN


def governed(store: Store) -> Governed:
    """Give ``store`` as one that enforces roles; raises :class:`UsageError` where it can't."""
    if not isinstance(store, Governed):
        raise UsageError(f"{store.uri} can't be given roles from here", hint="set them up in its own administration")
    return store


def _show(changes: Sequence[AccessChange], as_json: bool) -> None:
    if as_json:
        echo_json([change._asdict() for change in changes])
        return
    for change in changes:
        several = "\n" in change.detail
        detail = f"  ({change.detail})" if change.detail and not several else ""
        click.echo(printable(f"{change.action:14}{change.object}{detail}"))
        if several:
            click.echo("".join(f"    {printable(line)}\n" for line in change.detail.splitlines()), nl=False)


COMMANDS = (plan, apply, check)
