"""The variables of a branch: found, annotated by policy, and the values that lie beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hygiene.store.backends.conjur.client import Connection
from hygiene.store.backends.conjur.notes import OWNER_NOTE, Variable, suffix, variable_from
from hygiene.store.protocol import OWNER


class Variables:
    """The variables of one policy branch."""

    def __init__(self, connection: Connection, branch: str) -> None:
        """Use ``connection``; the policy ``branch`` must exist."""
        self._connection = connection
        self._branch = branch

    def id(self, name: str) -> str:
        """Give Conjur's id of ``name``."""
        return f"{self._branch}/{name}" if self._branch else name

    def find(self, name: str) -> Variable | None:
        """Tell about the variable ``name``, or None."""
        resource = self._connection.variable(self.id(name))
        return variable_from(resource) if resource else None

    def set_beside(self, name: str, stage: str, value: bytes) -> None:
        """Set the value of ``stage``, which lies in a variable of its own."""
        id = self.id(name) + suffix(stage)
        if self._connection.variable(id) is None:
            self.declare(name + suffix(stage), {OWNER_NOTE: OWNER}, create=True)
        self._connection.set(id, value)

    def drop(self, name: str, told: Variable, stage: str, token: str) -> None:
        """Take ``stage`` off the version ``token``, and delete its value."""
        note = told.stage(stage)
        if note is not None and note.token == token:
            self.declare(name, {f"hygiene/{stage}": "-"})
            if self._connection.variable(self.id(name) + suffix(stage)) is not None:
                self.update(f"- !delete\n  record: !variable {json.dumps(name + suffix(stage))}\n")

    def declare(self, name: str, notes: Mapping[str, str], *, create: bool = False) -> None:
        """Annotate the variable ``name``; where ``create``, make it."""
        lines = [f"- !variable\n  id: {json.dumps(name)}\n  annotations:\n"]
        lines += [f"    {json.dumps(key)}: {json.dumps(value)}\n" for key, value in notes.items()]
        if create:
            self._connection.load(self._branch or "root", "".join(lines))
        else:
            self.update("".join(lines))

    def update(self, policy: str) -> None:
        """Load a policy that may delete and change."""
        self._connection.update(self._branch or "root", policy)
