"""Keys of AWS that are kept as two secrets, an id and a secret: the two found and rotated as one."""

from __future__ import annotations

from hygiene.cli.rotationproviders import RotationProviders
from hygiene.cli.rotationrequest import Request
from hygiene.rotate.provider import Verdict
from hygiene.rotate.registry import AWS, AWS_RULE, is_key_id
from hygiene.rotate.slots import pair_from_halves
from hygiene.rotate.stored import fields_of
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, Store, StoredSecret


class KeyHalves:
    """The halves of keys in one store."""

    def __init__(self, store: Store, providers: RotationProviders) -> None:
        """Look in ``store``; ``providers`` open the one that tells which halves work together."""
        self._store = store
        self._providers = providers

    def paired(self, request: Request) -> tuple[Request, str]:
        """Find the other half of a key that is kept as two secrets: the one that works with it.

        Gives the request for the half that is the secret, and the name of the half that is the id.
        """
        secret = self._store.describe(request.name)
        version = secret.staged(CURRENT) if secret else None
        if secret is None or version is None or request.expected not in ("", version.id):
            return request, ""  # told when it begins, too
        value = self._store.get(request.name)
        if fields_of(value) is not None or self._providers.guessed(secret, request) != AWS:
            return request, ""
        other = self._other_half(request, value)
        if other is None:
            return request, ""
        if not is_key_id(value):
            return request, other.name
        current = other.staged(CURRENT)
        expected = current.id if request.expected and current else ""
        return request._replace(name=other.name, expected=expected), request.name

    def _other_half(self, request: Request, value: Secret) -> StoredSecret | None:
        """Find, beside a secret, the one that makes a working key with it."""
        mine, provider = is_key_id(value), self._providers.of_secret(request)
        for other in self._store.list(request.name.rpartition("/")[0]):
            rule = dict(other.labels).get("rule", AWS_RULE)
            if other.name == request.name or other.deleted is not None or not rule.startswith(AWS_RULE):
                continue
            half = self._store.get(other.name)
            if is_key_id(half) == mine or fields_of(half) is not None:
                continue
            pair = pair_from_halves(value, half) if mine else pair_from_halves(half, value)
            if provider.verify(pair).verdict is Verdict.LIVE:
                return other
        return None
