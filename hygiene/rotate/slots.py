"""Where a rotation keeps the old, the new and the current value: by the store's stages, or beside it.

A store without stages or versions gets two neighbours of the secret, ``NAME.pending`` and ``NAME.previous``,
which exist only while a rotation runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from secrets import token_hex
from typing import Protocol

from hygiene.errors import NotFoundError
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, PENDING, Expect, Store, StoredSecret

_SEPARATOR = "|"


class Slots(Protocol):
    """The three values of one secret under rotation. Every write is harmless when repeated."""

    def pending(self) -> str | None:
        """Name the version that waits to become current, or None."""

    def put_new(self, secret: Secret, token: str) -> str:
        """Store the new value as pending and name its version; ConflictError when another run was first."""

    def read_old(self) -> Secret:
        """Read the value that this rotation replaces."""

    def read_new(self, version: str) -> Secret:
        """Read the new value, before and after its promotion."""

    def read_current(self) -> Secret:
        """Read what a client gets now."""

    def promote(self, version: str) -> None:
        """Make the new value current."""

    def demote(self, version: str) -> None:
        """Make the old value current again, if the new one was."""

    def clear(self) -> None:
        """Leave nothing pending behind."""


class PairedSlots:
    """A pair that is kept as two secrets, rotated as one value: an object with the fields ``id`` and ``secret``.

    Between the two promotions a client may read one half of each pair; a pair in one secret has no such moment.
    """

    def __init__(self, id: Slots, secret: Slots) -> None:
        """Join the slots of both halves."""
        self._halves = (id, secret)

    def pending(self) -> str | None:
        """Name both pending versions, once both are there."""
        found = [half.pending() for half in self._halves]
        return _SEPARATOR.join(map(str, found)) if all(found) else None

    def put_new(self, secret: Secret, token: str) -> str:
        """Store both halves as pending."""
        fields = json.loads(secret.reveal())
        values = (Secret.from_text(fields["id"]), Secret.from_text(fields["secret"]))
        return _SEPARATOR.join(half.put_new(value, token) for half, value in zip(self._halves, values, strict=True))

    def read_old(self) -> Secret:
        """Read both replaced halves."""
        return pair_from_halves(*(half.read_old() for half in self._halves))

    def read_new(self, version: str) -> Secret:
        """Read both new halves."""
        return pair_from_halves(*(half.read_new(one) for half, one in self._each(version)))

    def read_current(self) -> Secret:
        """Read both halves as a client gets them now."""
        return pair_from_halves(*(half.read_current() for half in self._halves))

    def promote(self, version: str) -> None:
        """Make both new halves current."""
        for half, one in self._each(version):
            half.promote(one)

    def demote(self, version: str) -> None:
        """Make both old halves current again."""
        for half, one in self._each(version):
            half.demote(one)

    def clear(self) -> None:
        """Leave nothing pending behind."""
        for half in self._halves:
            half.clear()

    def _each(self, version: str) -> Iterator[tuple[Slots, str]]:
        return zip(self._halves, version.split(_SEPARATOR), strict=True)


def pair_from_halves(id: Secret, secret: Secret) -> Secret:
    """Write a pair as one stored object."""
    halves = {"id": id.reveal().decode("utf-8", "replace"), "secret": secret.reveal().decode("utf-8", "replace")}
    return Secret.from_text(json.dumps(halves))


def open_slots(store: Store, secret: StoredSecret, old: str) -> Slots:
    """Choose how to keep the values of ``secret``, whose version ``old`` is replaced."""
    able = store.capabilities
    if able.stages and able.versions:
        return StagedSlots(store, secret, old)
    return NeighbourSlots(store, secret)


class StagedSlots:
    """Stages and versions of the store itself."""

    def __init__(self, store: Store, secret: StoredSecret, old: str) -> None:
        """Work on ``secret``; ``old`` is the id of the version that is replaced."""
        self._store = store
        self._name = secret.name
        self._labels = secret.labels
        self._old = old

    def pending(self) -> str | None:
        """Name the pending version; a label left on the current one doesn't count."""
        told = self._store.describe(self._name)
        version = told.staged(PENDING) if told else None
        return version.id if version and CURRENT not in version.stages else None

    def put_new(self, secret: Secret, token: str) -> str:
        """Store ``secret`` as pending."""
        expect = self._old if self._store.capabilities.cas else Expect.ANYTHING
        put = self._store.put(self._name, secret, expect=expect, token=token, stage=PENDING, labels=self._labels)
        return put.id

    def read_old(self) -> Secret:
        """Read the replaced version by its id."""
        return self._store.get(self._name, version=self._old)

    def read_new(self, version: str) -> Secret:
        """Read ``version`` by its id."""
        return self._store.get(self._name, version=version)

    def read_current(self) -> Secret:
        """Read the current stage."""
        return self._store.get(self._name)

    def promote(self, version: str) -> None:
        """Move the current stage to ``version``."""
        self._store.promote(self._name, version, expect=self._old)

    def demote(self, version: str) -> None:
        """Move the current stage back, unless a third version has it by now."""
        if self._current() == version:
            self._store.promote(self._name, self._old, expect=version)

    def clear(self) -> None:
        """Take the pending stage off."""
        self._store.unstage(self._name, PENDING)

    def _current(self) -> str | None:
        told = self._store.describe(self._name)
        version = told.staged(CURRENT) if told else None
        return version.id if version else None


class NeighbourSlots:
    """Two more secrets beside the rotated one, for a store that keeps one value a name."""

    def __init__(self, store: Store, secret: StoredSecret) -> None:
        """Work on ``secret``."""
        self._store = store
        self._name = secret.name
        self._labels = secret.labels
        self._pending = f"{secret.name}.pending"
        self._previous = f"{secret.name}.previous"

    def pending(self) -> str | None:
        """Name the neighbour that waits, or the one that a cut-off rotation left."""
        return next((name for name in (self._pending, self._previous) if self._exists(name)), None)

    def put_new(self, secret: Secret, token: str) -> str:
        """Store ``secret`` as the pending neighbour."""
        expect = Expect.ABSENT if self._store.capabilities.cas else Expect.ANYTHING
        self._store.put(self._pending, secret, expect=expect, token=token)
        return self._pending

    def read_old(self) -> Secret:
        """Read the copy made at the promotion, or what is still current."""
        try:
            return self._store.get(self._previous)
        except NotFoundError:
            return self._store.get(self._name)

    def read_new(self, version: str) -> Secret:
        """Read the pending neighbour, which stays until the end."""
        return self._store.get(version)

    def read_current(self) -> Secret:
        """Read the secret itself."""
        return self._store.get(self._name)

    def promote(self, version: str) -> None:
        """Copy the old value aside, then write the new one over it."""
        new = self._store.get(version)
        seen = self._seen()
        current = self._store.get(self._name)
        if current == new:
            return
        if not self._exists(self._previous):
            self._store.put(self._previous, current, token=token_hex(16))
        self._write(new, seen)

    def demote(self, version: str) -> None:
        """Write the old value back over the new one."""
        new = self._store.get(version)
        seen = self._seen()
        if self._store.get(self._name) == new and self._exists(self._previous):
            self._write(self._store.get(self._previous), seen)

    def clear(self) -> None:
        """Delete the neighbours."""
        for name in (self._pending, self._previous):
            if self._exists(name):
                self._store.delete(name, recoverable=False)

    def _seen(self) -> str | Expect:
        told = self._store.describe(self._name) if self._store.capabilities.cas else None
        return told.versions[0].id if told and told.versions else Expect.ANYTHING

    def _write(self, value: Secret, seen: str | Expect) -> None:
        self._store.put(self._name, value, expect=seen, token=token_hex(16), labels=self._labels)

    def _exists(self, name: str) -> bool:
        told = self._store.describe(name)
        return told is not None and told.deleted is None
