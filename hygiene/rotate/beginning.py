"""Begins a rotation: the refusals that leave nothing to undo, then the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hygiene.errors import ConflictError, ProviderError, RotationError, SupersededError
from hygiene.journal import Journal
from hygiene.rotate.provider import Check, Provider, Verdict
from hygiene.rotate.slots import open_slots, pair_from_halves
from hygiene.store.protocol import CURRENT, OWNER, Store, StoredSecret

JOB = "rotate"


def begin(
    journal_at: Callable[..., Journal],
    store: Store,
    name: str,
    provider: Provider,
    *,
    reason: str,
    expected: str = "",
    labels: Mapping[str, str] = MappingProxyType({}),
    companion: str = "",
) -> Journal:
    """Start the journal of a rotation of ``name``, after the refusals that need no change undone.

    ``journal_at`` creates the journal from its facts; ``expected`` is the version that gave the reason, ``labels``
    what was learned of the secret besides, ``companion`` the secret that holds the id of a pair. Raises
    RotationError for a store that can't be written, a secret that isn't there or isn't ours, and one that the
    provider can't tell live from dead; ConflictError while another rotation has a pending value;
    SupersededError when ``expected`` was replaced meanwhile.
    """
    secret = rotatable(store, name)
    old = secret.staged(CURRENT)
    if old is None:
        raise RotationError(f"{name} has no current value", hint=f"store one: hygiene secret put {name}")
    if expected and expected != old.id:
        raise SupersededError(f"{name} has a newer version by now, so there is no reason left to rotate it")
    halves = [(secret, old.id)]
    if companion:
        other = rotatable(store, companion)
        current = other.staged(CURRENT)
        halves.insert(0, (other, current.id if current else ""))
    if any(open_slots(store, half, version).pending() is not None for half, version in halves):
        raise ConflictError(
            f"another rotation of {name} is under way: a value is pending",
            hint=f"finish it where it was started (--resume), or give it up: hygiene rotate {name} --abort",
        )
    before = _tested(store, name, provider, companion)
    return journal_at(
        name=name,
        store=store.uri,
        provider=provider.name,
        old=old.id,
        prepares=provider.abilities.prepares,
        reason=reason,
        before=before.verdict.value,
        identity=before.identity,
        overlap=provider.abilities.overlap,
        labels=dict(labels),
        companion=companion,
        companion_old=halves[0][1] if companion else "",
    )


def rotatable(store: Store, name: str) -> StoredSecret:
    """Give the secret ``name``; raises RotationError where it isn't there, isn't ours, or can't be written."""
    if not store.capabilities.writable:
        raise RotationError(f"the store {store.uri} is read-only", hint="rotate in the system that writes it")
    secret = store.describe(name)
    if secret is None or secret.deleted is not None:
        raise RotationError(
            f"the store {store.uri} has no secret {name}",
            hint="hygiene secret list shows what it has; an unfinished rotation of what was deleted ends with --abort",
        )
    if secret.owner != OWNER:
        raise RotationError(
            f"{name} belongs to {secret.owner or 'someone else'}, so it is not touched",
            hint=f"make it ours first: hygiene secret put {name} --adopt",
        )
    return secret


def _tested(store: Store, name: str, provider: Provider, companion: str) -> Check:
    """Ask whether the current value works; ProviderError where that can't be told, but should be."""
    if not provider.abilities.verifiable:
        return Check(Verdict.UNKNOWN)
    value = pair_from_halves(store.get(companion), store.get(name)) if companion else store.get(name)
    before = provider.verify(value)
    if before.verdict is Verdict.UNKNOWN:
        raise ProviderError(
            f"cannot tell whether {name} works, so it is not rotated: {before.evidence or 'no answer'}",
            hint=before.hint or "without that, the new value could not be proved either; nothing was changed",
        )
    return before
