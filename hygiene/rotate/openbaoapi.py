"""Calls to an OpenBao (or Vault) server, and the tokens there that we make and mark."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.jsonapi import JsonApi, RefusedError
from hygiene.rotate.provider import Target
from hygiene.secret import Secret

_MARK = "hygiene"
_EVERYBODYS = (  # of the policy default: what a token may do with itself, and what shows nothing
    *(
        "auth/token/lookup-self",
        "auth/token/renew-self",
        "auth/token/revoke-self",
        "identity/oidc/provider/+/authorize",
    ),
    *("sys/capabilities-self", "sys/internal/ui/resultant-acl", "sys/leases/lookup", "sys/leases/renew", "sys/renew"),
    *("sys/tools/hash", "sys/tools/hash/*", "sys/wrapping/lookup", "sys/wrapping/unwrap", "sys/wrapping/wrap"),
    *("sys/control-group/request", "cubbyhole/*"),
)
_GONE = (400, 403, 404)


class OpenBaoApi:
    """One server, as the labels address and namespace name it."""

    def __init__(self, provider: str, target: Target) -> None:
        """Call for ``target``, whose admin is a token."""
        self._provider, self._target = provider, target

    def call(self, method: str, path: str, token: str, body: Any = None) -> dict[str, Any]:
        """Call with ``token`` ("" for none), and give the object that is answered ({} for an empty answer).

        Raises ProviderError for a refusal, and OutcomeUnknownError where the server may have acted.
        """
        base = self._target.labels.get("address", "")
        if not base:
            raise ProviderError("it is not known where the server is", hint="set the label address: https://host:8200")
        headers = {"X-Vault-Request": "true"}
        if token:
            headers["X-Vault-Token"] = token
        if namespace := self._target.labels.get("namespace"):
            headers["X-Vault-Namespace"] = namespace
        answer = JsonApi(self._provider, base, self._target.hosts).call(method, path, headers=headers, body=body)
        if answer.status != 204 and not isinstance(answer.value, dict):
            raise OutcomeUnknownError("the server's answer is not an object of JSON")
        return answer.value or {}

    def admin(self, method: str, path: str, body: Any = None, *, by: Secret | None = None) -> dict[str, Any]:
        """Call as the admin, or with the token ``by``; raises ProviderError where the configuration names none."""
        actor = by or self._target.admin
        if actor is None:
            raise ProviderError(
                "this is done by an admin", hint=f'name one: [providers.{self._provider}] admin = "ref+…" (a token)'
            )
        return self.call(method, path, token_of(actor), body)

    def make_token(
        self, *, by: Secret | None = None, meta: Mapping[str, str] = MappingProxyType({}), **wanted: Any
    ) -> dict[str, Any]:
        """Make a marked token without a parent; gives its client_token and accessor."""
        body = {**wanted, "meta": {**meta, _MARK: self._target.name}}
        made = self.admin("POST", "/v1/auth/token/create-orphan", body, by=by)
        told = made.get("auth")
        if not isinstance(told, dict) or not told.get("client_token") or not told.get("accessor"):
            raise OutcomeUnknownError("the server's answer holds no token")
        return told

    def reach(self, token: str) -> tuple[str, ...]:
        """Tell the paths that a token may use, each with what it may do there."""
        told = self.call("GET", "/v1/sys/internal/ui/resultant-acl", token).get("data") or {}
        if told.get("root"):
            return ("everything (root)",)
        exact, globs = told.get("exact_paths") or {}, told.get("glob_paths") or {}
        paths = [*exact.items(), *((f"{path}*", rule) for path, rule in globs.items())]
        named = [(path, _capabilities(rule)) for path, rule in sorted(paths) if path not in _EVERYBODYS]
        return tuple(f"{path} ({', '.join(able)})" for path, able in named if able and able != ["deny"])

    def marked(self, *, by: Secret | None = None) -> frozenset[str]:
        """Name the accessors of the tokens that bear our mark."""
        told = self.admin("LIST", "/v1/auth/token/accessors", by=by).get("data", {})
        return frozenset(str(accessor) for accessor in told.get("keys", ()) if self._is_marked(str(accessor), by))

    def end_accessor(self, accessor: str, *, by: Secret | None = None) -> None:
        """Revoke a token with all that it made; one that is gone already is fine."""
        try:
            self.admin("POST", "/v1/auth/token/revoke-accessor", {"accessor": accessor}, by=by)
        except RefusedError as error:
            if error.status not in _GONE or self._is_marked(accessor, by):
                raise

    def _is_marked(self, accessor: str, by: Secret | None) -> bool:
        try:
            told = self.admin("POST", "/v1/auth/token/lookup-accessor", {"accessor": accessor}, by=by).get("data", {})
        except RefusedError:
            return False  # it ended meanwhile
        return (told.get("meta") or {}).get(_MARK) == self._target.name


def _capabilities(rule: Any) -> list[str]:
    found = rule.get("capabilities") if isinstance(rule, dict) else None
    return sorted(map(str, found)) if isinstance(found, list) else []


def token_of(secret: Secret) -> str:
    """Read a stored token; raises ProviderError for what can't be one."""
    text = secret.reveal().decode("latin-1").strip()
    if not text or not text.isascii() or not text.isprintable():
        raise ProviderError("the stored value is not a token")
    return text
