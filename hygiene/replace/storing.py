"""Storing the secrets of a migration: announced in the journal, written once, read back and compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hygiene.errors import ConflictError, StoreError
from hygiene.journal import Journal
from hygiene.replace.journaled import KeptEntry
from hygiene.replace.objects import joined, object_and_field
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, Expect, Store, Version


class Storing:
    """What one migration has stored, and what it is about to store."""

    def __init__(self, store: Store, journal: Journal) -> None:
        """Go on where ``journal`` stands."""
        self._store = store
        self._journal = journal
        self._announced = {str(name) for entry in journal.entries("storing") for name in entry["names"]}
        self.stored = {str(name) for entry in journal.entries("stored") for name, _ in entry["versions"]}

    def store(self, entries: Iterable[KeptEntry], values: Mapping[str, Secret]) -> None:
        """Store what of ``entries`` is not stored yet; the journal is synced before the first and after the last.

        ``values`` gives each entry's value by its name.
        """
        objects: dict[str, dict[str, KeptEntry]] = {}  # by name in the store and by field
        for entry in entries:
            name, field = object_and_field(entry.name)
            if name not in self.stored:
                objects.setdefault(name, {})[field] = entry
        for entry in (entry for fields in objects.values() for entry in fields.values()):
            if entry.name not in values:
                raise ConflictError(f"{entry.name} is not stored, and its value stands in no file any more")
        new = [name for name in objects if self._is_new(name)]
        if new:
            self._journal.record("storing", names=new)
            self._announced.update(new)
        versions = []
        for name, fields in objects.items():
            whole = joined({field: values[entry.name] for field, entry in fields.items()})
            versions.append([name, self._store_one(name, list(fields.values()), whole)])
        if versions:
            ours = [name for name in objects if name in self._announced]
            self._journal.record("stored", versions=versions, ours=ours)
            self.stored.update(objects)

    def _is_new(self, name: str) -> bool:
        return name not in self._announced and self._store.describe(name) is None

    def _store_one(self, name: str, entries: Sequence[KeptEntry], secret: Secret) -> str:
        """Store one secret if it is ours to store, read it back, and give its version."""
        version = self._put(name, entries, secret).id if name in self._announced else self._current(name)
        if self._store.get(name) != secret:
            raise StoreError(
                f"{name} does not read back as it was stored; its files are not changed",
                hint="see `hygiene secret describe`, then run migrate with --resume or --rollback",
            )
        return version

    def _current(self, name: str) -> str:
        told = self._store.describe(name)
        current = told.staged(CURRENT) if told is not None else None
        return current.id if current is not None else ""

    def _put(self, name: str, entries: Sequence[KeptEntry], secret: Secret) -> Version:
        """Write the secret; after a crash the same token makes it the same version."""
        entry = max(entries, key=lambda one: one.name)  # of a key, the secret's rule says what it is
        variables = ",".join(variable for one in entries for variable in one.variables)
        facts = (("rule", entry.rule), ("variable", variables), *entry.labels)
        labels = tuple((key, text) for key, text in facts if text)
        expect = Expect.ABSENT if self._store.capabilities.cas else Expect.ANYTHING
        return self._store.put(name, secret, expect=expect, token=entry.token, labels=labels)
