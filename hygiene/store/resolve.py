"""From a reference to its value: the stage or version that it asks for, and the field of a stored object.

A reference that does not resolve is an error that names it; nothing ever resolves to an empty value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hygiene.errors import AuditError, HygieneError, UnresolvedReferenceError
from hygiene.fields import fields_of
from hygiene.moment import later
from hygiene.reference import Reference
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, OWNER, Store, StoredSecret, Version

_SOON = timedelta(days=7)  # warned of before it is refused


class Resolver:
    """Resolves references; each store is opened, and each value read, once in its life."""

    def __init__(
        self,
        open_store: Callable[[Reference], Store],
        *,
        warn_expired: bool = False,
        live_for: timedelta | None = None,
        warn: Callable[[str], None] = lambda message: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Use the stores that ``open_store`` gives.

        ``warn_expired`` warns of expired secrets instead of refusing; ``live_for`` is how long any version lives.
        """
        self._live_for = live_for
        self._open_store = open_store
        self._warn_expired = warn_expired
        self._warn = warn
        self._now = now
        self._stores: dict[tuple[str, ...], Store] = {}
        self._values: dict[str, Secret] = {}

    def resolve(self, reference: Reference) -> Secret:
        """Give the value of ``reference``; raises :class:`UnresolvedReferenceError` that names it."""
        text = str(reference)
        if text not in self._values:
            try:
                self._values[text] = self._read(reference)
            except (UnresolvedReferenceError, AuditError):
                raise
            except HygieneError as error:
                raise UnresolvedReferenceError(f"{text} does not resolve: {error.message}", hint=error.hint) from error
        return self._values[text]

    def _read(self, reference: Reference) -> Secret:
        store = self._store(reference)
        name = store.name_of(reference)
        told = store.describe(name) if store.capabilities.expiry else None
        if told is not None:
            self._check_expiry(reference, told)
        secret = store.get(name, stage=reference.stage or CURRENT, version=reference.version)
        # A store may need a field even for a whole value (Vault: "value").
        whole = reference.field == store.reference(name).field
        if reference.field and not (whole and (told is None or told.owner == OWNER or fields_of(secret) is None)):
            secret = select_field(secret, reference)
        if len(secret) == 0:
            raise UnresolvedReferenceError(f"{reference} resolves to an empty value")
        return secret

    def _store(self, reference: Reference) -> Store:
        place = reference.path if reference.scheme in ("vault", "openbao", "ccp") else ""
        key = (reference.scheme, place, reference.parameter("store") or "", reference.parameter("region") or "")
        if key not in self._stores:
            self._stores[key] = self._open_store(reference)
        return self._stores[key]

    def _check_expiry(self, reference: Reference, told: StoredSecret) -> None:
        version = next((v for v in told.versions if v.id == reference.version), None) if reference.version else None
        version = version or told.staged(reference.stage or CURRENT)
        expires = expiry_of(version, self._live_for) if version else told.expires
        if expires is None:
            return
        if expires > self._now():
            if expires - self._now() < _SOON:
                self._warn(f"{reference} expires at {expires:%Y-%m-%d %H:%M} UTC")
            return
        message = f"{reference} expired at {expires:%Y-%m-%d %H:%M} UTC"
        if not self._warn_expired:
            raise UnresolvedReferenceError(
                message, hint=f"rotate it: hygiene rotate {told.name}, or give it time: hygiene secret expire"
            )
        self._warn(message)


def expiry_of(version: Version, live_for: timedelta | None) -> datetime | None:
    """Give the moment from which ``version`` must not be used: its own or by its age, whichever is first."""
    by_age = later(live_for, version.created) if live_for is not None else None
    return min((moment for moment in (version.expires, by_age) if moment is not None), default=None)


def select_field(secret: Secret, reference: Reference) -> Secret:
    """Give the field of the JSON object ``secret`` that ``reference`` asks for.

    A string is given as it is, anything else in its JSON form. Raises :class:`UnresolvedReferenceError`.
    """
    document = fields_of(secret)
    if document is None:
        raise UnresolvedReferenceError(
            f"{reference} asks for a field, but the stored value is not a JSON object",
            hint="drop #/" + reference.field + ", or store an object",
        )
    if reference.field not in document:
        raise UnresolvedReferenceError(f"{reference}: the stored object has no such field")
    value = document[reference.field]
    return Secret.from_text(value if isinstance(value, str) else json.dumps(value))
