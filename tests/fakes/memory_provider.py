"""Providers in memory, one a shape of rotation: what is valid there is a set of values."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import count

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.provider import Abilities, Check, Verdict
from hygiene.secret import Secret


class MemoryProvider:
    """Client-chosen values; the old one dies at once where there is no overlap."""

    name = "memory"

    def __init__(self, first: Secret, *, overlap: bool) -> None:
        self.valid = [first]
        self.abilities = Abilities(overlap=overlap, self_service=True, idempotent_issue=True)
        self.answers: list[str] = []  # what goes wrong, one an issue: "refuse", "cut-before", "cut-after"
        self.issues = 0
        self._numbers = count(1)

    def prepare(self, current: Secret) -> Secret | None:
        return Secret(current.reveal() + b"+%d" % next(self._numbers))

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        answer = self.answers.pop(0) if self.answers else ""
        if answer == "refuse":
            raise ProviderError("refused")
        if answer == "cut-before":
            raise OutcomeUnknownError("cut")
        self.issues += 1
        new = self._make(prepared)
        if not self.abilities.overlap:
            self.valid = [new]
        elif new not in self.valid:
            self.valid.append(new)
        if answer == "cut-after":
            raise OutcomeUnknownError("cut")
        return new

    def _make(self, prepared: Secret | None) -> Secret:
        assert prepared is not None
        return prepared

    def verify(self, secret: Secret) -> Check:
        return Check(Verdict.LIVE if secret in self.valid else Verdict.DEAD)

    def revoke(self, old: Secret, current: Secret) -> None:
        assert current in self.valid
        self.valid = [value for value in self.valid if value != old]


class MintingProvider(MemoryProvider):
    """The provider makes the value, keeps at most two, and lists them by an identifier."""

    def __init__(self, first: Secret) -> None:
        super().__init__(first, overlap=True)
        self.abilities = Abilities(overlap=True, self_service=True, idempotent_issue=False, prepares=False)

    def prepare(self, current: Secret) -> Secret | None:
        return None

    def _make(self, prepared: Secret | None) -> Secret:
        assert prepared is None
        if len(self.valid) >= 2:
            raise ProviderError("at most two")
        return Secret(b"key-%d" % next(self._numbers))

    def identifiers(self, current: Secret) -> frozenset[str]:
        return frozenset(map(_identifier, self.valid))

    def discard(self, identifier: str, current: Secret) -> None:
        self.valid = [value for value in self.valid if _identifier(value) != identifier]


class PairProvider(MintingProvider):
    """Makes pairs of an id and a secret."""

    def _make(self, prepared: Secret | None) -> Secret:
        number = super()._make(prepared).reveal().decode()
        return Secret.from_text(json.dumps({"id": f"id-{number}", "secret": f"secret-{number}"}))


def _identifier(value: Secret) -> str:
    return sha256(value.reveal()).hexdigest()[:12]
