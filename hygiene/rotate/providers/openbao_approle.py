"""Secret ids of OpenBao's (and Vault's) AppRole.

We choose them, so they are stored before the server knows them; a role takes several, so old and new overlap.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import Any
from urllib.parse import quote

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.jsonapi import RefusedError, check_from_error
from hygiene.rotate.openbaoapi import OpenBaoApi
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import fields_of, with_fields
from hygiene.secret import Secret

_KNOWN_ALREADY = (400, 500)  # the server's answers to a secret id that it has


class OpenbaoAppRoleProvider:
    """The ``secret_id`` beside a ``role_id`` in a stored object."""

    name = "openbao_approle"
    abilities = Abilities(overlap=True, self_service=False, idempotent_issue=True, propagation=5.0)

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: address, role, mount (default approle), namespace."""
        self._target = target
        self._api = OpenBaoApi(self.name, target)
        self._mount = "/v1/auth/" + target.labels.get("mount", "approle").strip("/")

    def prepare(self, current: Secret) -> Secret | None:
        """Make a secret id."""
        return with_fields(current, {**_fields(current), "secret_id": secrets.token_hex(24)})

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Add the secret id to the role."""
        if prepared is None:
            raise ProviderError("the secret id is chosen by the client")
        try:
            self._admin("custom-secret-id", {"secret_id": _fields(prepared)["secret_id"]})
        except RefusedError as error:
            if error.status not in _KNOWN_ALREADY or self.verify(prepared).verdict is not Verdict.LIVE:
                raise
        return prepared

    def verify(self, secret: Secret) -> Check:
        """Log in, and end the token that this gives."""
        try:
            fields = _fields(secret)
            body = {"role_id": fields["role_id"], "secret_id": fields["secret_id"]}
            told = self._api.call("POST", f"{self._mount}/login", "", body).get("auth")
            if not isinstance(told, dict) or not told.get("client_token"):
                raise OutcomeUnknownError("the server's answer holds no token")
        except ProviderError as error:
            return check_from_error(error, dead=(400,))
        with contextlib.suppress(ProviderError):  # it ends by itself, too
            self._api.call("POST", "/v1/auth/token/revoke-self", str(told["client_token"]))
        return Check(Verdict.LIVE, "login accepted", identity=str(fields["role_id"]), scopes=_policies(told))

    def revoke(self, old: Secret, current: Secret) -> None:
        """Destroy the old secret id."""
        self.kill(old)

    def kill(self, secret: Secret) -> None:
        """Destroy the secret id."""
        try:
            self._admin("secret-id/destroy", {"secret_id": _fields(secret)["secret_id"]})
        except RefusedError as error:
            if error.status not in (400, 404, 500) or self.verify(secret).verdict is not Verdict.DEAD:
                raise

    def _admin(self, action: str, body: Any) -> Any:
        role = self._target.labels.get("role", "")
        if not role or self._target.admin is None:
            raise ProviderError(
                "secret ids are changed by an admin, for a role",
                hint='set the label role, and [providers.openbao_approle] admin = "ref+…" (a token)',
            )
        return self._api.admin("POST", f"{self._mount}/role/{quote(role, safe='')}/{action}", body)


def _policies(told: dict[str, Any]) -> tuple[str, ...]:
    found = told.get("policies")
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _fields(secret: Secret) -> dict[str, Any]:
    fields = fields_of(secret)
    if not fields or not isinstance(fields.get("role_id"), str) or not isinstance(fields.get("secret_id"), str):
        raise ProviderError(
            "the stored value is not an AppRole login", hint='store it as {"role_id": "…", "secret_id": "…"}'
        )
    return fields
