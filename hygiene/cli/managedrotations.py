"""Rotations that the store's own function makes (AWS Secrets Manager): chosen, begun, and opened to be run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from hygiene.cli.compose import Composition
from hygiene.cli.rotationrequest import Request
from hygiene.errors import HygieneError, RotationError, SupersededError
from hygiene.journal import Journal
from hygiene.rotate.beginning import JOB
from hygiene.rotate.copies import Copy
from hygiene.rotate.managed import PROVIDER, Managed
from hygiene.rotate.provider import Check, Provider, Verdict
from hygiene.rotate.schedule import policy_of
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, SelfRotating, Store


class ManagedRotations:
    """Those of one store; none where it has no functions of its own."""

    def __init__(self, composition: Composition, store_name: str) -> None:
        """Look at the store called ``store_name``."""
        self._composition = composition
        self._store_name = store_name

    def wanted(self, request: Request) -> bool:
        """Say whether the store's function is to rotate a secret: it has one, and nobody named a provider."""
        named = request.provider or policy_of(request.name, self._composition.config).provider
        return not named and isinstance(self._bare, SelfRotating) and self._bare.is_self_rotated(request.name)

    def begin(self, path: Path, request: Request) -> Journal:
        """Begin the journal; raises SupersededError where the version that is meant was replaced."""
        store = self._composition.store(self._store_name)
        secret = store.describe(request.name)
        current = secret.staged(CURRENT) if secret else None
        if current is None:
            raise RotationError(f"the store {store.uri} has no value of {request.name}")
        if request.expected and request.expected != current.id:
            raise SupersededError(f"{request.name} has a newer version by now, so there is no reason left to rotate it")
        facts = {"name": request.name, "store": store.uri, "provider": PROVIDER, "old": current.id}
        return Journal.create(
            path, JOB, **facts, managed=True, prepares=False, token=str(uuid4()), reason=request.reason
        )

    def rotation(self, journal: Journal, provider: Callable[[], Provider], copies: Sequence[Copy]) -> Managed:
        """Open the rotation; ``provider`` opens the one that tells whether old and new value work."""
        bare = self._bare
        if not isinstance(bare, SelfRotating):
            raise RotationError(f"the store {bare.uri} rotates nothing by itself")

        def verify(secret: Secret) -> Check:
            try:
                return provider().verify(secret)
            except HygieneError as error:
                return Check(Verdict.UNKNOWN, error.message)

        store = self._composition.store(self._store_name)
        return Managed(bare, store, self._composition.recorder, journal, verify=verify, copies=copies)

    @cached_property
    def _bare(self) -> Store:
        return self._composition.bare_store(self._store_name)
