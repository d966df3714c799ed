"""Roles applied in Conjur: one group a role, loaded after a dry run, and never a policy replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hygiene.config import Role
from hygiene.errors import ForeignSecretError
from hygiene.store.backends.conjur.client import Connection
from hygiene.store.backends.conjur.policy import MARK, PREFIX, compile_policies, deletion, mark_of
from hygiene.store.protocol import OWNER, AccessChange


class Governance:
    """The groups of one branch."""

    def __init__(self, connection: Connection, branch: str, owner_note: str) -> None:
        """Work on ``branch``, whose policy must let us change it; groups of ours carry ``owner_note``."""
        self._connection = connection
        self._branch = branch
        self._owner_note = owner_note

    def plan(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Tell which groups would be written, with their policy, and which removed."""
        wanted = compile_policies(roles, self._ids("variable"), self._owner_note)
        present = {name: notes for name, notes in self._ids("group").items() if name.startswith(PREFIX)}
        changes = []
        for name, policy in wanted.items():
            notes = present.get(name)
            if notes is not None and notes.get(self._owner_note) != OWNER:
                raise ForeignSecretError(f"the group {name} was not made by us, so it is left alone")
            if notes is None or notes.get(MARK) != mark_of(policy):
                changes.append(AccessChange("write-policy", name, policy))
        gone = [name for name, notes in present.items() if name not in wanted and notes.get(self._owner_note) == OWNER]
        return changes + [AccessChange("remove-policy", name) for name in sorted(gone)]

    def apply(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Make the groups, and remove those of roles that are gone.

        A group that changes is deleted and made anew, since a policy only adds; in between its members are denied.
        """
        changes = self.plan(roles)
        present = self._ids("group")
        branch = self._branch or "root"
        for change in changes:
            if change.object in present:
                self._connection.update(branch, deletion(change.object), rehearse=True)
            if change.action == "write-policy":
                self._connection.load(branch, change.detail)
        return changes

    def _ids(self, kind: str) -> Mapping[str, Mapping[str, str]]:
        """Give the resources of ``kind`` below the branch, by their id as seen from it, with their annotations."""
        start = f"{self._connection.account}:{kind}:" + (f"{self._branch}/" if self._branch else "")
        found = {}
        for resource in self._connection.resources(kind):
            if str(resource["id"]).startswith(start):
                notes = {str(note["name"]): str(note.get("value", "")) for note in resource.get("annotations", [])}
                found[str(resource["id"]).removeprefix(start)] = notes
        return found
