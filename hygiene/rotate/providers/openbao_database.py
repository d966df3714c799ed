"""OpenBao's (and Vault's) database secrets engine: logins that the server itself makes at a database.

Three kinds, by label. ``role``, a dynamic role: each login is a lease, made beside the old one. It belongs to a token
that we make for it and throw away, marked with the stored secret's name: whoever finds the token's accessor ends the
login, also one whose value was lost. ``static_role``: one login, whose password the server changes at our word; the
old one dies at that moment. ``connection``: the engine's own root login, which nobody knows once the server has changed
it, so it can only be revoked.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.jsonapi import RefusedError
from hygiene.rotate.openbaoapi import OpenBaoApi
from hygiene.rotate.provider import Abilities, Check, Reaching, Target, Verdict
from hygiene.rotate.registry import open_provider
from hygiene.rotate.stored import fields_of, parse_login, with_fields, with_login
from hygiene.secret import Secret

_KINDS = ("role", "static_role", "connection")
_LONGEST = "768h"  # the server's own default; it cuts this down to what it allows


class OpenbaoDatabaseProvider:
    """Logins of one role, or of one connection."""

    name = "openbao_database"

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: address, role and policy, static_role, or connection; mount, engine."""
        self._target = target
        labels = target.labels
        self._kind = next((kind for kind in _KINDS if labels.get(kind)), "")
        if not self._kind:
            raise ProviderError(
                "it is not known whose login this is", hint=f"set one of the labels {', '.join(_KINDS)}"
            )
        self._role = quote(labels[self._kind], safe="")
        self._mount = "/v1/" + labels.get("mount", "database").strip("/")
        self._api = OpenBaoApi(self.name, target)
        self._database = open_provider(labels.get("engine", "postgresql"), target._replace(admin=None))
        dynamic = self._kind == "role"
        self.abilities = Abilities(
            overlap=dynamic,
            self_service=False,
            idempotent_issue=not dynamic,  # the server tells what the password is by now
            prepares=False,
            propagation=5.0,
            same_identity=not dynamic,
        )

    def prepare(self, current: Secret) -> Secret | None:
        """Leave it to the server."""
        return None

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Let the server make a login, or change the password of the one there is."""
        if self._kind == "connection":
            raise ProviderError(
                "after its rotation nobody but the server knows the root password, so there is nothing to store",
                hint=f"end the leaked one: hygiene revoke {self._target.name} --now",
            )
        return self._leased(current) if self._kind == "role" else self._changed(current)

    def verify(self, secret: Secret) -> Check:
        """Log in to the database."""
        return self._database.verify(secret)

    def reach(self, secret: Secret) -> tuple[str, ...]:
        """Ask the database."""
        return self._database.reach(secret) if isinstance(self._database, Reaching) else ()

    def revoke(self, old: Secret, current: Secret) -> None:
        """End the old lease; the password of a static role ended with its change."""
        if self._kind == "role":
            self._end(old)

    def kill(self, secret: Secret) -> None:
        """End the lease, or let the server change the password to one that we don't learn."""
        if self._kind == "role":
            self._end(secret)
        elif self._kind == "static_role":
            self._api.admin("POST", f"{self._mount}/rotate-role/{self._role}")
        else:
            self._api.admin("POST", f"{self._mount}/rotate-root/{self._role}")

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Name the accessors of all tokens that we made; a static role has one login, which can't be lost."""
        return self._api.marked() if self._kind == "role" else frozenset()

    def discard(self, identifier: str, current: Secret) -> None:
        """End a token of ours, and with it the login whose value was lost."""
        self._api.end_accessor(identifier)

    def _leased(self, current: Secret) -> Secret:
        fields = fields_of(current)
        if not fields:
            raise ProviderError(
                "a leased login needs fields for what ends it",
                hint='store it as an object: {"username": "…", "password": "…", "host": "…"}',
            )
        policy = self._target.labels.get("policy", "")
        if not policy:
            raise ProviderError(
                "the login belongs to a token, and it is not known what that may do",
                hint=f"set the label policy: one that may read {self._mount.removeprefix('/v1/')}/creds/{self._role}",
            )
        made = self._api.make_token(policies=[policy], ttl=_LONGEST, no_default_policy=True)
        told = self._api.call("GET", f"{self._mount}/creds/{self._role}", str(made["client_token"]))
        login = _login(told.get("data"))
        made_of = with_login(current, user=login[0], password=login[1])
        known = {"lease_id": str(told.get("lease_id", "")), "accessor": str(made["accessor"])}
        return with_fields(current, {**(fields_of(made_of) or {}), **known})

    def _changed(self, current: Secret) -> Secret:
        """Give the password that the server has by now, changed first where it is still the current one."""
        if self._read() == _known(current, self._target):
            self._api.admin("POST", f"{self._mount}/rotate-role/{self._role}")
        user, password = self._read()
        if (user, password) == _known(current, self._target):
            raise OutcomeUnknownError("the server says that it changed the password, and gives the old one")
        return with_login(current, password=password)

    def _read(self) -> tuple[str, str]:
        return _login(self._api.admin("GET", f"{self._mount}/static-creds/{self._role}").get("data"))

    def _end(self, secret: Secret) -> None:
        fields = fields_of(secret) or {}
        try:
            if accessor := fields.get("accessor"):
                self._api.end_accessor(str(accessor))
            elif lease := fields.get("lease_id"):
                self._api.admin("POST", "/v1/sys/leases/revoke", {"lease_id": str(lease), "sync": True})
            else:
                raise ProviderError(
                    "it is not known which lease the login belongs to",
                    hint="store its lease_id beside it, or end it with: bao lease revoke",
                )
        except RefusedError:
            if self.verify(secret).verdict is not Verdict.DEAD:  # it ended before
                raise


def _login(told: Any) -> tuple[str, str]:
    if not isinstance(told, dict) or not told.get("username") or not told.get("password"):
        raise OutcomeUnknownError("the server's answer holds no login")
    return str(told["username"]), str(told["password"])


def _known(secret: Secret, target: Target) -> tuple[str, str]:
    login = parse_login(secret, target.labels)
    return login.user, login.password
