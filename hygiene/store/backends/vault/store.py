"""Vault and OpenBao as a :class:`hygiene.store.protocol.Store`, on KV version 2.

The newest version of a path is what every other reader takes, so it is the current one, always: a pending
version lies beside, below ``@pending/`` of the mount, until it is promoted, and a rollback writes the former value
again. Every write is conditional (``cas``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hygiene.config import Role
from hygiene.errors import ConflictError, NotFoundError, StoreError
from hygiene.reference import Reference, check_name
from hygiene.secret import Secret
from hygiene.store.answers import judged
from hygiene.store.backends.vault import form, notes
from hygiene.store.backends.vault.client import Connection
from hygiene.store.backends.vault.governance import Governance
from hygiene.store.backends.vault.kv import KeyValues
from hygiene.store.backends.vault.lookup import Lookup
from hygiene.store.backends.vault.notes import Meta, Note
from hygiene.store.backends.vault.reading import Reader
from hygiene.store.backends.vault.writing import Writer, check_expectation
from hygiene.store.checks import check_put, is_same_moment
from hygiene.store.protocol import (
    CURRENT,
    OWNER,
    PENDING,
    PREVIOUS,
    AccessChange,
    Capabilities,
    Expect,
    StoredSecret,
    Version,
)

_TRIES = 5  # of an unconditional write that keeps losing against others


@judged
class VaultStore:
    """The secrets of one KV mount below one prefix."""

    capabilities = Capabilities()

    def __init__(self, connection: Connection, *, uri: str, scheme: str, path: str) -> None:
        """Use ``connection``; ``path`` is the mount and the prefix, told apart by asking the server."""
        self.uri = uri
        self._scheme = scheme
        self._path = path
        self._entries = KeyValues(connection, path)
        self._lookup = Lookup(self._entries, uri)
        self._reader = Reader(self._entries, self._lookup)
        self._writer = Writer(self._entries, self._lookup, self._reader)
        self._governance = Governance(connection, self._entries)

    def reference(self, name: str, *, field: str = "") -> Reference:
        """Build the reference to the current version of ``name``; a whole value is the field ``value``."""
        return Reference(self._scheme, f"{self._path}/{check_name(name)}", (), field or form.TEXT)

    def name_of(self, reference: Reference) -> str:
        """Give the name that ``reference`` means here."""
        if reference.scheme not in ("vault", "openbao") or not reference.path.startswith(self._path + "/"):
            raise NotFoundError(f"{reference} does not belong to the store {self.uri}")
        return check_name(reference.path.removeprefix(self._path + "/"))

    def describe(self, name: str) -> StoredSecret | None:
        """Tell about ``name``, or None."""
        meta = self._entries.meta(check_name(name))
        return self._told(name, meta) if meta and meta.current else None

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""
        folder, _, _ = prefix.rpartition("/")
        for name in sorted(found for found in self._entries.names(folder) if found.startswith(prefix)):
            told = self.describe(name)
            if told is not None:
                yield told

    def put(
        self,
        name: str,
        secret: Secret,
        *,
        expect: str | Expect = Expect.ANYTHING,
        token: str,
        stage: str = CURRENT,
        expires: datetime | None = None,
        labels: tuple[tuple[str, str], ...] = (),
    ) -> Version:
        """Write a version and point ``stage`` at it."""
        check_put(check_name(name), secret, token, self.capabilities)
        note = Note(token, form.entry_from(secret)[1], datetime.now(UTC), expires)
        owned = notes.ownership(labels)
        for attempt in range(_TRIES):
            meta = self._entries.meta(name)
            known = self._writer.known(name, meta, secret, note)
            if known is not None:
                return known
            check_expectation(name, meta, expect, stage)
            if meta is None:
                # Ours before it has a value: a cut-off write never looks like a stranger's.
                self._entries.note(name, owned, create=True)
                meta = self._lookup.required(name)
            try:
                return self._writer.write(name, meta, secret, note, stage=stage, owned=owned)
            except ConflictError:
                if isinstance(expect, str) or expect is Expect.ABSENT or attempt == _TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value."""
        return self._reader.get(name, stage=stage, version=version)

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Make ``version`` current: its value is written as the newest one, since that is what readers take."""
        meta = self._lookup.ours(name)
        if meta.id(meta.current) == version:
            self._writer.drop_pending(name, meta, version)
            return
        pending = meta.pending
        is_pending = pending is not None and pending.token == version
        number = None if is_pending else meta.number(version)
        if not is_pending and number is None:
            raise NotFoundError(f"{name} has no version {version}")
        secret = self.get(name, version=version)
        found = pending if is_pending else meta.note(number or 0)
        note = found or Note(version, form.entry_from(secret)[1], datetime.now(UTC), None)
        cut_off = meta.note(meta.current) is None and self._reader.current(name) == secret
        if cut_off:
            # The value was written by a run that could not note it any more.
            self._entries.note(name, notes.version_written(meta._replace(current=meta.current - 1), meta.current, note))
        elif meta.id(meta.current) != expect:
            raise ConflictError(f"the current version of {name} is not {expect}; nothing was changed")
        else:
            self._writer.write(name, meta, secret, note, stage=CURRENT, owned={})
        self._writer.drop_pending(name, self._lookup.required(name), version)

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` off whatever version carries it."""
        if stage == CURRENT:
            raise ConflictError("the current version keeps its stage; promote another one instead")
        meta = self._lookup.ours(name)
        if stage == PENDING and meta.pending is not None:
            self._writer.drop_pending(name, meta, meta.pending.token)
        elif stage == PREVIOUS:
            self._entries.note(name, notes.previous_forgotten())

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the current version must not be used."""
        self._entries.note(name, notes.version_dated(self._lookup.ours(name), at))
        meta = self._lookup.required(name)
        noted = meta.note(meta.current)
        if not is_same_moment(noted.expires if noted else None, at):
            raise StoreError(f"{self._entries.address} said that it was noted when {name} expires, but it was not")

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""
        self._lookup.ours(name)
        self._entries.note(name, notes.due_noted(at))

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours."""
        if self._lookup.required(name).owner != OWNER:
            self._entries.note(name, notes.ownership(()))

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions; where ``recoverable``, :meth:`restore` brings them back."""
        meta = self._lookup.required(name)
        self._lookup.check_owner(name, meta)
        if not recoverable:
            if meta.pending is not None:
                self._writer.drop_pending(name, meta, meta.pending.token)
            self._entries.call(f"delete {name}", "delete_metadata_and_all_versions", name, writes=True)
        elif meta.deleted is None:
            self._entries.note(name, notes.deletion_noted(meta))
            self._entries.call(
                f"delete {name}", "delete_secret_versions", name, versions=list(meta.numbers), writes=True
            )
        left = self._entries.meta(name)
        if left is not None and (left.deleted is None or not recoverable):
            raise StoreError(f"{self._entries.address} said that {name} was deleted, but it is still there")

    def restore(self, name: str) -> None:
        """Undo a recoverable deletion."""
        meta = self._lookup.required(name)
        self._lookup.check_owner(name, meta)
        if meta.deleted is not None:
            versions = meta.restorable() or [meta.current]
            self._entries.call(f"restore {name}", "undelete_secret_versions", name, versions=versions, writes=True)

    def plan_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which policies :meth:`apply_access` would write or remove, with their text."""
        return self._governance.plan(roles)

    def apply_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Write the policies; who carries them is said by your auth methods."""
        return self._governance.apply(roles)

    def check_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which policies differ from ``roles``."""
        return self._governance.plan(roles)

    def _told(self, name: str, meta: Meta) -> StoredSecret:
        current = meta.note(meta.current)
        return StoredSecret(
            name=name,
            reference=self.reference(name),
            owner=meta.owner,
            versions=meta.versions(),
            created=meta.created,
            expires=current.expires if current else None,
            due=meta.due,
            deleted=meta.deleted,
            labels=meta.labels,
        )
