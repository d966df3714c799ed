"""Tokens of OpenBao (and Vault): a new one with the same policies, made beside the old one, which revokes itself.

The new token has no parent, so that the end of the old one does not end it. Each is marked with the name of
the stored secret, so that one whose value was lost can be found by an admin.
"""

from __future__ import annotations

from typing import Any

from hygiene.errors import ProviderError
from hygiene.rotate.jsonapi import JsonApi, RefusedError, check_from_error
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import fields_of, with_fields
from hygiene.secret import Secret

_MARK = "hygiene"
_FIELDS = ("token", "client_token", "secret")


class OpenbaoTokenProvider:
    """Tokens."""

    name = "openbao_token"
    abilities = Abilities(overlap=True, self_service=True, idempotent_issue=False, prepares=False, propagation=5.0)

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: address (of the server), namespace."""
        self._target = target

    def prepare(self, current: Secret) -> Secret | None:
        """Leave it to the server."""
        return None

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Make a token with the policies, period and kind of the current one."""
        told = self._call("GET", "/v1/auth/token/lookup-self", _token(current))["data"]
        wanted: dict[str, Any] = {
            "policies": told["policies"],
            "display_name": str(told.get("display_name", "")).removeprefix("token-"),
            "renewable": told.get("renewable", True),
            "meta": {**(told.get("meta") or {}), _MARK: self._target.name},
        }
        if told.get("period"):
            wanted["period"] = f"{told['period']}s"
        elif told.get("creation_ttl"):
            wanted["ttl"] = f"{told['creation_ttl']}s"
        made = self._call("POST", "/v1/auth/token/create-orphan", self._actor(current), wanted)
        return _with_token(current, str(made["auth"]["client_token"]))

    def verify(self, secret: Secret) -> Check:
        """Let the token look at itself."""
        try:
            told = self._call("GET", "/v1/auth/token/lookup-self", _token(secret))["data"]
        except ProviderError as error:
            return check_from_error(error, dead=(403,))
        return Check(Verdict.LIVE, "HTTP 200", identity=str(told.get("display_name", "")))

    def revoke(self, old: Secret, current: Secret) -> None:
        """Let the old token revoke itself, with all that it made."""
        self.kill(old)

    def kill(self, secret: Secret) -> None:
        """Let the token revoke itself."""
        try:
            self._call("POST", "/v1/auth/token/revoke-self", _token(secret))
        except RefusedError as error:
            if error.status != 403:  # dead already
                raise

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Name the accessors of all tokens; that takes an admin."""
        try:
            told = self._call("LIST", "/v1/auth/token/accessors", self._actor(current))
        except RefusedError:
            return frozenset()  # without that right, a lost token lives until its own end
        return frozenset(told["data"]["keys"])

    def discard(self, identifier: str, current: Secret) -> None:
        """Revoke a token by its accessor, if it is one of ours: others make tokens all the time."""
        actor = self._actor(current)
        if self._is_marked(identifier, actor):
            self._call("POST", "/v1/auth/token/revoke-accessor", actor, {"accessor": identifier})

    def _is_marked(self, accessor: str, actor: str) -> bool:
        try:
            told = self._call("POST", "/v1/auth/token/lookup-accessor", actor, {"accessor": accessor})["data"]
        except RefusedError:
            return False  # it ended meanwhile
        return (told.get("meta") or {}).get(_MARK) == self._target.name

    def _actor(self, current: Secret) -> str:
        return _token(self._target.admin or current)

    def _call(self, method: str, path: str, token: str, body: Any = None) -> Any:
        base = self._target.labels.get("address", "")
        if not base:
            raise ProviderError("it is not known where the server is", hint="set the label address: https://host:8200")
        headers = {"X-Vault-Token": token, "X-Vault-Request": "true"}
        if namespace := self._target.labels.get("namespace"):
            headers["X-Vault-Namespace"] = namespace
        return JsonApi(self.name, base, self._target.hosts).call(method, path, headers=headers, body=body).value


def _token(secret: Secret) -> str:
    fields = fields_of(secret)
    text = (
        next((fields[name] for name in _FIELDS if name in fields), "") if fields else secret.reveal().decode("latin-1")
    )
    if not isinstance(text, str) or not text.isascii() or not text.strip().isprintable() or not text.strip():
        raise ProviderError("the stored value is not a token")
    return text.strip()


def _with_token(secret: Secret, token: str) -> Secret:
    fields = fields_of(secret)
    if fields is None:
        return Secret.from_text(token)
    return with_fields(secret, {**fields, next(name for name in _FIELDS if name in fields): token})
