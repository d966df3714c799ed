"""Tokens of OpenBao (and Vault): a new one with the same policies, made beside the old one, which revokes itself.

The new token has no parent, so that the end of the old one does not end it. Each is marked with the name of
the stored secret, so that one whose value was lost can be found by an admin.
"""

from __future__ import annotations

from typing import Any

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.jsonapi import RefusedError, check_from_error
from hygiene.rotate.openbaoapi import OpenBaoApi, token_of
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import fields_of, with_fields
from hygiene.secret import Secret

_FIELDS = ("token", "client_token", "secret")
_SELF = "/v1/auth/token/lookup-self"


class OpenbaoTokenProvider:
    """Tokens."""

    name = "openbao_token"
    abilities = Abilities(
        overlap=True,
        self_service=True,
        idempotent_issue=False,
        prepares=False,
        propagation=5.0,
        same_identity=False,  # the server puts a word of its own before the names of tokens
    )

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: address (of the server), namespace."""
        self._target = target
        self._api = OpenBaoApi(self.name, target)

    def prepare(self, current: Secret) -> Secret | None:
        """Leave it to the server."""
        return None

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Make a token with the policies, period and kind of the current one."""
        told = self._told_of_itself(current)
        wanted: dict[str, Any] = {
            "policies": told["policies"],
            "display_name": str(told.get("display_name", "")).removeprefix("token-"),
            "renewable": told.get("renewable", True),
        }
        if told.get("period"):
            wanted["period"] = f"{told['period']}s"
        elif told.get("creation_ttl"):
            wanted["ttl"] = f"{told['creation_ttl']}s"
        made = self._api.make_token(by=self._actor(current), meta=told.get("meta") or {}, **wanted)
        return _with_token(current, str(made["client_token"]))

    def verify(self, secret: Secret) -> Check:
        """Let the token look at itself."""
        try:
            told = self._told_of_itself(secret)
        except ProviderError as error:
            return check_from_error(error, dead=(403,))
        policies = tuple(map(str, told["policies"]))
        return Check(Verdict.LIVE, "HTTP 200", identity=str(told.get("display_name", "")), scopes=policies)

    def reach(self, secret: Secret) -> tuple[str, ...]:
        """Tell the paths that the token may use."""
        return self._api.reach(_token(secret))

    def revoke(self, old: Secret, current: Secret) -> None:
        """Let the old token revoke itself, with all that it made."""
        self.kill(old)

    def kill(self, secret: Secret) -> None:
        """Let the token revoke itself."""
        try:
            self._api.call("POST", "/v1/auth/token/revoke-self", _token(secret))
        except RefusedError as error:
            if error.status != 403:  # dead already
                raise

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Name the accessors of our tokens; that takes an admin."""
        try:
            return self._api.marked(by=self._actor(current))
        except RefusedError:
            return frozenset()  # without that right, a lost token lives until its own end

    def discard(self, identifier: str, current: Secret) -> None:
        """Revoke a token of ours by its accessor."""
        self._api.end_accessor(identifier, by=self._actor(current))

    def _told_of_itself(self, secret: Secret) -> dict[str, Any]:
        told = self._api.call("GET", _SELF, _token(secret)).get("data")
        if not isinstance(told, dict) or not isinstance(told.get("policies"), list):
            raise OutcomeUnknownError("the server's answer does not tell what the token may")
        return told

    def _actor(self, current: Secret) -> Secret:
        return Secret.from_text(_token(self._target.admin or current))


def _token(secret: Secret) -> str:
    fields = fields_of(secret)
    text = next((fields[name] for name in _FIELDS if name in fields), "") if fields else None
    if fields and not isinstance(text, str):
        raise ProviderError("the stored value is not a token")
    return token_of(secret if text is None else Secret.from_text(text))


def _with_token(secret: Secret, token: str) -> Secret:
    fields = fields_of(secret)
    if fields is None:
        return Secret.from_text(token)
    return with_fields(secret, {**fields, next(name for name in _FIELDS if name in fields): token})
