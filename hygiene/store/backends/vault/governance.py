"""Roles applied in Vault: an ACL policy a role, a JWT role for its members of CI; what others made is left alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from hygiene.config import Role
from hygiene.errors import AccessDeniedError, ForeignSecretError, NotFoundError, StoreError
from hygiene.store.backends.vault.client import Connection
from hygiene.store.backends.vault.kv import KeyValues
from hygiene.store.backends.vault.logins import compile_logins, login_mount
from hygiene.store.backends.vault.policy import MARK, Place, compile_policies
from hygiene.store.protocol import AccessChange

_REMOVE, _WRITE_LOGIN, _REMOVE_LOGIN = "remove-policy", "write-login", "remove-login"


class Governance:
    """The policies of one mount and prefix."""

    def __init__(self, connection: Connection, entries: KeyValues) -> None:
        """Work by ``connection`` on the policies of the place where ``entries`` lie."""
        self._connection = connection
        self._entries = entries

    def plan(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Tell which policies :meth:`apply` would write or remove, with their text."""
        place = Place(*self._entries.place())
        wanted = compile_policies(roles, place)
        changes = []
        for name, text in sorted(wanted.items()):
            present = self._policy(name)
            if present.strip() != text.strip():
                if present and place.mark() not in present:
                    whose = "belongs to another store" if MARK in present else "was not made by us"
                    raise ForeignSecretError(f"the policy {name} {whose}, so it is left alone", hint="rename the role")
                changes.append(AccessChange("write-policy", name, text))
        listed = self._connection.call("list policies", lambda client: client.sys.list_acl_policies())
        names = listed["data"]["keys"]
        left = [name for name in names if name.startswith(place.policy_prefix()) and name not in wanted]
        # The policies of a store below this one have names that begin alike.
        ours = [name for name in left if place.mark() in self._policy(name)]
        changes += [AccessChange(_REMOVE, name) for name in ours]
        return [*changes, *self._login_changes(compile_logins(roles, place.policy_prefix()), [*wanted, *ours])]

    def apply(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Write the policies and the JWT roles; who else carries them is said by your auth methods."""
        changes = self.plan(roles)
        for change in changes:
            self._carry_out(change)
        return changes

    def _carry_out(self, change: AccessChange) -> None:
        what = f"{change.action} {change.object}"
        try:
            self._connection.call(what, partial(_change, change=change), writes=True)
        except NotFoundError as error:
            if change.action != _WRITE_LOGIN:
                raise
            raise StoreError(
                f"cannot {what}: there is no auth method at {login_mount()}, which lets CI in by its identity token",
                hint=f"bao auth enable -path={login_mount()} jwt, and tell it your CI's issuer; or VAULT_AUTH_PATH",
            ) from error

    def _login_changes(self, wanted: dict[str, dict[str, Any]], names: Sequence[str]) -> list[AccessChange]:
        changes = []
        for name in names:
            login, present = wanted.get(name), self._login(name)
            if login is None and present is not None:
                changes.append(AccessChange(_REMOVE_LOGIN, name))
            elif login is not None and (present is None or any(present.get(key) != login[key] for key in login)):
                changes.append(AccessChange(_WRITE_LOGIN, name, json.dumps(login, indent=2)))
        return changes

    def _login(self, name: str) -> dict[str, Any] | None:
        path = f"/v1/auth/{login_mount()}/role/{name}"
        try:
            answer = self._connection.call(f"read the login role {name}", lambda client: client.adapter.get(path))
        except (NotFoundError, AccessDeniedError):
            return None  # no such role or auth method; or no right to know, and applying says so
        found: dict[str, Any] = answer["data"]
        return found

    def _policy(self, name: str) -> str:
        try:
            answer = self._connection.call(f"read the policy {name}", lambda client: client.sys.read_acl_policy(name))
        except NotFoundError:
            return ""
        return str(answer["data"]["policy"])


def _change(client: Any, change: AccessChange) -> None:
    path = f"/v1/auth/{login_mount()}/role/{change.object}"
    if change.action == _REMOVE:
        client.sys.delete_acl_policy(change.object)
    elif change.action == _REMOVE_LOGIN:
        client.adapter.delete(path)
    elif change.action == _WRITE_LOGIN:
        client.adapter.post(path, json=json.loads(change.detail))
    else:
        client.sys.create_or_update_acl_policy(change.object, change.detail)
