"""Undoing a migration: the code as it was, byte for byte; the stored secrets stay unless asked otherwise.

The original comes from git where the last commit had it, otherwise from the edits undone with the store's values;
a hash proves it either way. A file that was changed since the migration is left, and named.
"""

from __future__ import annotations

from typing import NamedTuple

from hygiene.errors import ConflictError, NotFoundError
from hygiene.fileio import write_error
from hygiene.journal import Journal
from hygiene.prove.event import Recorder
from hygiene.replace.edits import digest
from hygiene.replace.journaled import KeptFile, file_from_json, unit_from_json
from hygiene.replace.migrate import Left
from hygiene.replace.objects import field_of, object_and_field
from hygiene.replace.undo import undo
from hygiene.replace.worktree import Worktree
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, Store


class Undone(NamedTuple):
    """What a rollback did."""

    restored: tuple[str, ...]  # paths
    left: tuple[Left, ...]
    deleted: tuple[str, ...]  # names


def roll_back(tree: Worktree, store: Store, recorder: Recorder, journal: Journal, *, delete_stored: bool) -> Undone:
    """Restore the files that the migration of ``journal`` wrote; may be repeated after a crash."""
    units = [unit_from_json(unit) for unit in journal.facts["units"]]
    files = [file_from_json(file) for entry in journal.entries("wiring") for file in entry["files"]]
    files += [file for unit in units for file in unit.files]
    tree.sweep(file.path for file in files)
    values = _Values(store, journal)
    restored, left = [], []
    for file in files:
        now = tree.hash(file.path)
        if now == file.before:
            continue
        if now != file.after:
            left.append(Left(file.path, "it was changed since the migration"))
            continue
        with recorder.access("migrate.rollback", file.path.encode("utf-8", "replace").decode()):
            _restore(tree, file, str(journal.facts["head"]), values)
        restored.append(file.path)
    deleted, kept = _delete(store, journal) if delete_stored and not left else ([], [])
    return Undone(tuple(restored), (*left, *kept), tuple(deleted))


class _Values(dict[str, Secret]):
    """The stored values, read when first needed: of the version that was migrated, if it is still there."""

    def __init__(self, store: Store, journal: Journal) -> None:
        super().__init__()
        self._store = store
        self._versions = stored_versions(journal)

    def __missing__(self, name: str) -> Secret:
        stored, field = object_and_field(name)
        if field:
            value = field_of(self[stored], field)
            if value is None:
                raise NotFoundError(f"{stored} has no field {field} any more")
            self[name] = value
            return value
        version = self._versions.get(name) if self._store.capabilities.versions else None
        try:
            self[name] = self._store.get(name, version=version or None)
        except NotFoundError:
            self[name] = self._store.get(name)
        return self[name]


def _restore(tree: Worktree, file: KeptFile, head: str, values: _Values) -> None:
    if not file.before:
        try:
            tree.path(file.path).unlink()
        except OSError as error:
            raise write_error(tree.path(file.path), error) from error
        return
    original = tree.committed(head, file.path)
    if original is None or digest(original) != file.before:
        original = undo(tree.read(file.path) or b"", file.inverses, values)
    if digest(original) != file.before:
        raise ConflictError(
            f"the stored secrets do not give back {file.path} as it was",
            hint="a secret was changed in the store since; restore the file from a backup",
        )
    tree.write(file.path, original)


def stored_versions(journal: Journal) -> dict[str, str]:
    """Give the versions that a migration stored, by name."""
    return {str(name): str(version) for entry in journal.entries("stored") for name, version in entry["versions"]}


def _delete(store: Store, journal: Journal) -> tuple[list[str], list[Left]]:
    """Delete for good the secrets that this migration made, whose values the files hold again.

    One that has another version by now is left: its value stands nowhere else.
    """
    ours = {str(name) for entry in journal.entries("stored") for name in entry["ours"]}
    deleted, left = [], []
    for name, version in stored_versions(journal).items():
        told = store.describe(name) if name in ours else None
        if told is None:
            continue  # not made by us, or deleted by a rollback that was cut short
        current = told.staged(CURRENT)
        if told.deleted is None and current is not None and current.id != version:
            left.append(Left(name, "it has another value since the migration"))
            continue
        store.delete(name, recoverable=False)
        deleted.append(name)
    return deleted, left
