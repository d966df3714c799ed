"""Which stored secrets are the leaked ones: decided by comparing values in memory, never by a stored fingerprint.

A finding may hold a whole URL while the store holds its password, or the other way round, so the parts of
both are compared. Reading a stored value goes through the audited store and leaves its entry there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hygiene.errors import NotFoundError
from hygiene.finding import Finding
from hygiene.rotate.stored import parts_of
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, PREVIOUS, Store, StoredSecret

_SHORTEST_PART = 6  # bytes; a shorter part of a value (a user name, a port) proves nothing


class Leak(NamedTuple):
    """A stored secret whose value was found in a repository."""

    secret: StoredSecret
    findings: tuple[Finding, ...]
    stage: str  # current: it must be rotated; previous: it was replaced already


def leaks(store: Store, findings: Sequence[Finding]) -> Iterator[Leak]:
    """Give every stored secret that ``findings`` show, in the order of names."""
    index = _Index(findings)
    for secret in store.list():
        if secret.deleted is not None:
            continue
        for stage in (CURRENT, PREVIOUS):
            found = index.matching(_read(store, secret, stage))
            if found:
                yield Leak(secret, found, stage)
                break


def _read(store: Store, secret: StoredSecret, stage: str) -> Secret | None:
    if stage != CURRENT and secret.staged(stage) is None:
        return None
    try:
        return store.get(secret.name, stage=stage)
    except NotFoundError:
        return None


class _Index:
    """The findings by the parts of their values; it lives no longer than one comparison."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._by_part: dict[bytes, list[Finding]] = {}
        for finding in findings:
            for part in _telling_parts(finding.secret):
                self._by_part.setdefault(part, []).append(finding)

    def matching(self, value: Secret | None) -> tuple[Finding, ...]:
        if value is None:
            return ()
        found = [finding for part in _telling_parts(value) for finding in self._by_part.get(part, ())]
        return tuple({id(finding): finding for finding in found}.values())


def _telling_parts(secret: Secret) -> set[bytes]:
    whole, *parts = parts_of(secret)
    return {whole.reveal(), *(part.reveal() for part in parts if len(part) >= _SHORTEST_PART)}
