"""The providers that stored secrets and findings belong to, opened with their labels and settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from hygiene.cli.compose import Composition
from hygiene.cli.rotationrequest import Request
from hygiene.cli.ruletables import RuleTables
from hygiene.config import ProviderSettings
from hygiene.errors import NotFoundError
from hygiene.finding import Finding
from hygiene.reference import parse_reference
from hygiene.rotate import registryhosts
from hygiene.rotate.copies import Copy, open_copy
from hygiene.rotate.provider import Provider, Target
from hygiene.rotate.registry import DECLARED, guess_provider, open_provider, provider_name
from hygiene.rotate.schedule import policy_of
from hygiene.secret import Secret
from hygiene.store.protocol import Store, StoredSecret


class RotationProviders:
    """The providers of what one store keeps."""

    def __init__(self, composition: Composition, store: Store) -> None:
        """Open providers as the configuration of ``composition`` says."""
        self._composition = composition
        self._store = store

    def of_secret(self, request: Request) -> Provider:
        """Open the provider of a stored secret; raises NotFoundError when it isn't there."""
        secret = self._store.describe(request.name)
        if secret is None:
            raise NotFoundError(
                f"the store {self._store.uri} has no secret {request.name}",
                hint="hygiene secret list shows what it has",
            )
        policy = policy_of(request.name, self._composition.config)
        name = request.provider or policy.provider or self.guessed(secret, request)
        labels = {**request.labels, **dict(secret.labels), **policy.settings}
        return open_provider(name, self._target(provider_name(name), request.name, labels, request.answer))

    def guessed(self, secret: StoredSecret, request: Request) -> str:
        """Name the provider that labels, or the form of the current value, speak for."""
        return guess_provider({**request.labels, **dict(secret.labels)}, self._store.get(secret.name))

    def of_finding(self, finding: Finding, around: Mapping[str, str]) -> Provider:
        """Open the provider that could tell whether a found credential is live; ``around`` are labels from its text."""
        labels = {"rule": finding.rule, **around}
        name = guess_provider(labels, finding.secret)
        return open_provider(name, self._target(name, finding.rule, labels, None))

    def copies(self, name: str) -> list[Copy]:
        """Open the places outside of the store that get the value of ``name``. Raises ConfigError, ProviderError."""
        policy = policy_of(name, self._composition.config)
        return [open_copy(place, lambda kind: self._target(kind, name, {}, None)) for place in policy.copies]

    def _target(self, provider: str, name: str, labels: Mapping[str, str], answer: Secret | None) -> Target:
        tables, fixed = self._tables.of(labels.get("rule", ""))
        # The configuration names a provider as the code does, or a declared one as its rule does.
        known = self._composition.config.providers
        declared = self._tables.provider_of(labels.get("rule", "")) if provider == DECLARED else ""
        settings = known.get(provider) or known.get(declared) or ProviderSettings(provider)
        admin = self._composition.resolver().resolve(parse_reference(settings.admin)) if settings.admin else None
        hosts = settings.hosts
        if labels.get("rule", "").startswith(registryhosts.RULES):
            clients = registryhosts.client_hosts()
            hosts = (*hosts, *clients)
            labels = {**({"host": clients[0]} if clients else {}), **labels}
        return Target(name, {**settings.settings, **labels}, hosts, admin, tables, answer, fixed)

    @cached_property
    def _tables(self) -> RuleTables:
        return RuleTables(self._composition.config)
