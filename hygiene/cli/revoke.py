"""``hygiene revoke``: ends a stored secret without a successor, for emergencies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.cli.revokeleak import FINGERPRINT, revoke_leak
from hygiene.cli.rotations import VERDICTS, Request, Rotations
from hygiene.cli.verifying import check_with_reach, powers_of
from hygiene.errors import ExitCode, ProviderError, UsageError
from hygiene.places import cache_folder
from hygiene.prove.readers import Reader, readers_of
from hygiene.report.terminal import printable
from hygiene.report.text import count
from hygiene.rotate.provider import Check, Killable, Verdict
from hygiene.rotate.schedule import policy_of

_SHOWN = 10


@click.command()
@click.argument("name", metavar="NAME|FINGERPRINT")
@click.option("--now", is_flag=True, help="Do it; without this, only say what would break.")
@store_option
@config_option
def command(*, name: str, now: bool, store_name: str, config_path: str | None) -> int:
    """Make the current value of NAME worthless at its provider, at once, with nothing in its place.

    Everything that uses it stops working; ``hygiene rotate NAME`` avoids that. The stored value is kept, expired.
    A leak of this repository that is in no store is named by its fingerprint, and ended by its own value.
    """
    composition = compose(config_path)
    rotations = Rotations(composition, store_name)
    if name.startswith(FINGERPRINT):
        return revoke_leak(composition, rotations, name, now=now, config=config_path or "")
    store, reference = rotations.store, str(rotations.store.reference(name))
    readers = readers_of(reference, composition.recorder.events())  # before we read it ourselves
    provider = rotations.provider(Request(name))
    secret = store.get(name)
    check = check_with_reach(provider, secret)
    if not isinstance(provider, Killable):
        raise ProviderError(f"{provider.name} can't end a credential without a new one", hint=f"hygiene rotate {name}")
    for line in _what_breaks(name, check, readers, policy_of(name, composition.config).copies):
        notice(printable(line))
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


def _what_breaks(name: str, check: Check, readers: Sequence[Reader], copies: Sequence[str]) -> Iterator[str]:
    """Say who will notice, and what nobody can do any more with the credential."""
    yield from powers_of(name, check)
    for reader in readers[:_SHOWN]:
        yield f"read by {reader.who}, {count(reader.times, 'time')}, last {reader.last[:16]}"
    if len(readers) > _SHOWN:
        yield f"read by {len(readers) - _SHOWN} more"
    if not readers:
        yield "nobody has read it by hygiene; who has it otherwise is not known"
    yield from (f"copied to {place}, where it stops working, too" for place in copies)
