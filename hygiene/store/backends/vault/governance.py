"""Roles applied in Vault: one ACL policy a role; policies that others made are left alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from hygiene.config import Role
from hygiene.errors import ForeignSecretError, NotFoundError
from hygiene.store.backends.vault.client import Connection
from hygiene.store.backends.vault.kv import KeyValues
from hygiene.store.backends.vault.policy import MARK, Place, compile_policies
from hygiene.store.protocol import AccessChange


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
                if present and MARK not in present:
                    raise ForeignSecretError(f"the policy {name} was not made by us, so it is left alone")
                changes.append(AccessChange("write-policy", name, text))
        listed = self._connection.call("list policies", lambda client: client.sys.list_acl_policies())
        names = listed["data"]["keys"]
        ours = [name for name in names if name.startswith(place.policy_prefix()) and name not in wanted]
        changes += [AccessChange("remove-policy", name) for name in ours if MARK in self._policy(name)]
        return changes

    def apply(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Write the policies; who carries them is said by your auth methods."""
        changes = self.plan(roles)
        for change in changes:
            self._connection.call(
                f"change the policy {change.object}", partial(_change_policy, change=change), writes=True
            )
        return changes

    def _policy(self, name: str) -> str:
        try:
            answer = self._connection.call(f"read the policy {name}", lambda client: client.sys.read_acl_policy(name))
        except NotFoundError:
            return ""
        return str(answer["data"]["policy"])


def _change_policy(client: Any, change: AccessChange) -> None:
    if change.action == "remove-policy":
        client.sys.delete_acl_policy(change.object)
    else:
        client.sys.create_or_update_acl_policy(change.object, change.detail)
