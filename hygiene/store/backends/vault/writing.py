"""Versions written: a current one under compare-and-set, a pending one beside, and each noted."""

from __future__ import annotations

from collections.abc import Mapping

from hygiene.errors import ConflictError, StoreError
from hygiene.secret import Secret
from hygiene.store.backends.vault import form, notes
from hygiene.store.backends.vault.kv import BESIDE, KeyValues
from hygiene.store.backends.vault.lookup import Lookup, deleted_error
from hygiene.store.backends.vault.notes import Meta, Note
from hygiene.store.backends.vault.reading import Reader
from hygiene.store.protocol import CURRENT, OWNER, Expect, Version


class Writer:
    """Writes the versions of one store."""

    def __init__(self, entries: KeyValues, lookup: Lookup, reader: Reader) -> None:
        """Write to ``entries``; ``reader`` tells a retry from another value."""
        self._entries = entries
        self._lookup = lookup
        self._reader = reader

    def known(self, name: str, meta: Meta | None, secret: Secret, note: Note) -> Version | None:
        """Give the version that a former try with this token wrote, or None."""
        if meta is None:
            return None
        if meta.current:
            self._lookup.check_owner(name, meta)
        if meta.deleted:
            raise deleted_error(ConflictError, name, meta.deleted)
        number = meta.number(note.token)
        if number is not None or (meta.pending and meta.pending.token == note.token):
            if self._reader.get(name, version=note.token) != secret:
                raise ConflictError(f"the token was used for another value of {name}; nothing was written")
            return next(version for version in meta.versions() if version.id == note.token)
        ours = meta.owner == OWNER and meta.current and meta.note(meta.current) is None
        if ours and self._reader.current_if_allowed(name) == secret:
            # Written by a run that could not note it any more, or by another tool: the same value either way.
            self._entries.note(name, notes.version_written(meta._replace(current=meta.current - 1), meta.current, note))
            return Version(note.token, meta.numbers[meta.current].created, frozenset({CURRENT}), note.expires)
        return None

    def write(
        self,
        name: str,
        meta: Meta,
        secret: Secret,
        note: Note,
        *,
        stage: str,
        owned: Mapping[str, str | None],
    ) -> Version:
        """Write a version and note it; ``owned`` are the pairs that make the secret ours."""
        entry, _ = form.entry_from(secret)
        if stage != CURRENT:
            self._write_beside(name, entry)
            self._entries.note(name, {**owned, **notes.pending_noted(note)})
            return Version(note.token, note.created, frozenset({stage}), note.expires)
        answer = self._entries.call(
            f"write {name}", "create_or_update_secret", name, secret=entry, cas=meta.current, writes=True
        )
        number = int(answer["data"]["version"])
        self._entries.note(name, {**owned, **notes.version_written(meta, number, note)})
        written = self._lookup.required(name)
        if written.number(note.token) is None:
            raise StoreError(f"{self._entries.address} said that {name} was written, but its version is not there")
        return next(version for version in written.versions() if version.id == note.token)

    def _write_beside(self, name: str, entry: dict[str, str]) -> None:
        beside = self._entries.meta(BESIDE + name)
        if beside is None:
            self._entries.note(BESIDE + name, notes.ownership(()), create=True)
        cas = beside.current if beside else 0
        self._entries.call(
            f"write {name}", "create_or_update_secret", BESIDE + name, secret=entry, cas=cas, writes=True
        )

    def drop_pending(self, name: str, meta: Meta, version: str) -> None:
        """Clear the pending version, if it is ``version``."""
        if meta.pending is not None and meta.pending.token == version:
            self._entries.note(name, notes.pending_noted(None))
            what = f"clear the pending version of {name}"
            self._entries.call(what, "delete_metadata_and_all_versions", BESIDE + name, writes=True)


def check_expectation(name: str, meta: Meta | None, expect: str | Expect, stage: str) -> None:
    """Raise :class:`ConflictError` where the secret is not what the writer expects."""
    exists = meta is not None and meta.current > 0
    if expect is Expect.ABSENT and exists:
        raise ConflictError(f"{name} exists already; nothing was written")
    if isinstance(expect, str) and (meta is None or not exists or meta.id(meta.current) != expect):
        raise ConflictError(f"the current version of {name} is not {expect}; nothing was written")
    if stage != CURRENT and not exists:
        raise ConflictError(f"{name} has no current version yet; a first version is always current")
