"""``hygiene revoke``: ends a stored secret without a successor, for emergencies."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.cli.rotations import VERDICTS, Request, Rotations
from hygiene.errors import ExitCode, ProviderError, UsageError
from hygiene.places import cache_folder
from hygiene.rotate.provider import Killable, Verdict


@click.command()
@click.argument("name")
@click.option("--now", is_flag=True, help="Do it; without this, only say what would break.")
@store_option
@config_option
def command(*, name: str, now: bool, store_name: str, config_path: str | None) -> int:
    """Make the current value of NAME worthless at its provider, at once, with nothing in its place.

    Everything that uses it stops working; ``hygiene rotate NAME`` avoids that. The stored value is kept, expired.
    """
    composition = compose(config_path)
    rotations = Rotations(composition, store_name)
    provider = rotations.provider(Request(name))
    store, reference = rotations.store, str(rotations.store.reference(name))
    secret = store.get(name)
    check = provider.verify(secret)
    if check.identity:
        notice(f"{name} logs in as {check.identity}")
    if not isinstance(provider, Killable):
        raise ProviderError(f"{provider.name} can't end a credential without a new one", hint=f"hygiene rotate {name}")
    if not now:
        raise UsageError(
            f"{name} is {check.verdict.value}; whatever resolves {reference} stops working at once",
            hint="if that is meant: the same with --now; without a break: hygiene rotate " + name,
        )
    (cache_folder() / VERDICTS).unlink(missing_ok=True)
    with composition.recorder.access("revoke", reference, provider=provider.name):
        provider.kill(secret)
    check = provider.verify(secret)
    composition.recorder.record("verify", reference, "ok", verdict=check.verdict.value, evidence=check.evidence)
    if store.capabilities.expiry:
        store.expire(name, datetime.now(UTC))
    click.echo(f"revoked {name}: now {check.verdict.value} ({check.evidence})")
    return ExitCode.STORE if check.verdict is Verdict.LIVE else ExitCode.CLEAN
