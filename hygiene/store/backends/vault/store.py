"""Vault and OpenBao as a :class:`hygiene.store.protocol.Store`, on KV version 2.

The newest version of a path is what every other reader takes, so it is the current one, always: a pending
version lies beside, below ``@pending/`` of the mount, until it is promoted, and a rollback writes the former value
again. Every write is conditional (``cas``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hygiene.config import Role
from hygiene.errors import AccessDeniedError, ConflictError, ForeignSecretError, NotFoundError, StoreError
from hygiene.reference import NAME_PATTERN, Reference, check_name
from hygiene.secret import Secret
from hygiene.store.answers import judged
from hygiene.store.backends.vault import form, notes
from hygiene.store.backends.vault.client import Connection
from hygiene.store.backends.vault.notes import Meta, Note, parse_meta
from hygiene.store.backends.vault.policy import MARK, Place, compile_policies
from hygiene.store.checks import check_put
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

_BESIDE = "@pending/"  # a part of paths that no name of ours can be
_TRIES = 5  # of an unconditional write that keeps losing against others


@judged
class VaultStore:
    """The secrets of one KV mount below one prefix."""

    capabilities = Capabilities()

    def __init__(self, connection: Connection, *, uri: str, scheme: str, path: str) -> None:
        """Use ``connection``; ``path`` is the mount and the prefix, told apart by asking the server."""
        self.uri = uri
        self._connection = connection
        self._scheme = scheme
        self._path = path
        self._known_mount = ""

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
        meta = self._meta(check_name(name))
        return self._told(name, meta) if meta and meta.current else None

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""
        folder, _, _ = prefix.rpartition("/")
        for name in sorted(found for found in self._names(folder) if found.startswith(prefix)):
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
            meta = self._meta(name)
            known = self._known(name, meta, secret, note)
            if known is not None:
                return known
            _check_expectation(name, meta, expect, stage)
            if meta is None:
                # Ours before it has a value: a cut-off write never looks like a stranger's.
                self._note(name, owned, create=True)
                meta = self._required(name)
            try:
                return self._write(name, meta, secret, note, stage=stage, owned=owned)
            except ConflictError:
                if isinstance(expect, str) or expect is Expect.ABSENT or attempt == _TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value."""
        check_name(name)
        if version is None and stage == CURRENT:
            return self._read(name, None)
        meta = self._meta(name)
        if meta is None:
            raise self._absent(name)
        if meta.deleted:
            raise _deleted_error(NotFoundError, name, meta.deleted)
        pending = meta.pending
        if pending is not None and (version == pending.token or (version is None and stage == PENDING)):
            return self._read(_BESIDE + name, None)
        number = meta.number(version) if version else meta.previous() if stage == PREVIOUS else None
        if number is None:
            what = f"version {version}" if version else f"{stage} version"
            raise NotFoundError(f"{name} has no {what}", hint="hygiene secret history shows the versions")
        return self._read(name, number)

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Make ``version`` current: its value is written as the newest one, since that is what readers take."""
        meta = self._ours(name)
        if meta.id(meta.current) == version:
            self._drop_pending(name, meta, version)
            return
        pending = meta.pending
        is_pending = pending is not None and pending.token == version
        number = None if is_pending else meta.number(version)
        if not is_pending and number is None:
            raise NotFoundError(f"{name} has no version {version}")
        secret = self.get(name, version=version)
        found = pending if is_pending else meta.note(number or 0)
        note = found or Note(version, form.entry_from(secret)[1], datetime.now(UTC), None)
        cut_off = meta.note(meta.current) is None and self._read(name, None) == secret
        if cut_off:
            # The value was written by a run that could not note it any more.
            self._note(name, notes.version_written(meta._replace(current=meta.current - 1), meta.current, note))
        elif meta.id(meta.current) != expect:
            raise ConflictError(f"the current version of {name} is not {expect}; nothing was changed")
        else:
            self._write(name, meta, secret, note, stage=CURRENT, owned={})
        self._drop_pending(name, self._required(name), version)

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` off whatever version carries it."""
        if stage == CURRENT:
            raise ConflictError("the current version keeps its stage; promote another one instead")
        meta = self._ours(name)
        if stage == PENDING and meta.pending is not None:
            self._drop_pending(name, meta, meta.pending.token)
        elif stage == PREVIOUS:
            self._note(name, notes.previous_forgotten())

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the current version must not be used."""
        self._note(name, notes.version_dated(self._ours(name), at))

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""
        self._ours(name)
        self._note(name, notes.due_noted(at))

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours."""
        if self._required(name).owner != OWNER:
            self._note(name, notes.ownership(()))

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions; where ``recoverable``, :meth:`restore` brings them back."""
        meta = self._required(name)
        self._check_owner(name, meta)
        if not recoverable:
            if meta.pending is not None:
                self._drop_pending(name, meta, meta.pending.token)
            self._kv(f"delete {name}", "delete_metadata_and_all_versions", name, writes=True)
        elif meta.deleted is None:
            self._note(name, notes.deletion_noted(meta))
            self._kv(f"delete {name}", "delete_secret_versions", name, versions=list(meta.numbers), writes=True)

    def restore(self, name: str) -> None:
        """Undo a recoverable deletion."""
        meta = self._required(name)
        self._check_owner(name, meta)
        if meta.deleted is not None:
            versions = meta.restorable() or [meta.current]
            self._kv(f"restore {name}", "undelete_secret_versions", name, versions=versions, writes=True)

    def plan_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which policies :meth:`apply_access` would write or remove, with their text."""
        place = Place(*self._place())
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

    def apply_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Write the policies; who carries them is said by your auth methods."""
        changes = self.plan_access(roles)
        for change in changes:
            self._connection.call(
                f"change the policy {change.object}", partial(_change_policy, change=change), writes=True
            )
        return changes

    def check_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which policies differ from ``roles``."""
        return self.plan_access(roles)

    def _policy(self, name: str) -> str:
        try:
            answer = self._connection.call(f"read the policy {name}", lambda client: client.sys.read_acl_policy(name))
        except NotFoundError:
            return ""
        return str(answer["data"]["policy"])

    def _known(self, name: str, meta: Meta | None, secret: Secret, note: Note) -> Version | None:
        """Give the version that a former try with this token wrote, or None."""
        if meta is None:
            return None
        if meta.current:
            self._check_owner(name, meta)
        if meta.deleted:
            raise _deleted_error(ConflictError, name, meta.deleted)
        number = meta.number(note.token)
        if number is not None or (meta.pending and meta.pending.token == note.token):
            if self.get(name, version=note.token) != secret:
                raise ConflictError(f"the token was used for another value of {name}; nothing was written")
            return next(version for version in meta.versions() if version.id == note.token)
        ours = meta.owner == OWNER and meta.current and meta.note(meta.current) is None
        if ours and self._readable(name) == secret:
            # Written by a run that could not note it any more, or by another tool: the same value either way.
            self._note(name, notes.version_written(meta._replace(current=meta.current - 1), meta.current, note))
            return Version(note.token, meta.numbers[meta.current].created, frozenset({CURRENT}), note.expires)
        return None

    def _readable(self, name: str) -> Secret | None:
        try:
            return self._read(name, None)
        except AccessDeniedError:
            return None

    def _write(
        self,
        name: str,
        meta: Meta,
        secret: Secret,
        note: Note,
        *,
        stage: str,
        owned: Mapping[str, str | None],
    ) -> Version:
        entry, _ = form.entry_from(secret)
        if stage != CURRENT:
            self._write_beside(name, entry)
            self._note(name, {**owned, **notes.pending_noted(note)})
            return Version(note.token, note.created, frozenset({stage}), note.expires)
        answer = self._kv(f"write {name}", "create_or_update_secret", name, secret=entry, cas=meta.current, writes=True)
        number = int(answer["data"]["version"])
        self._note(name, {**owned, **notes.version_written(meta, number, note)})
        written = self._required(name)
        if written.number(note.token) is None:
            raise StoreError(f"{self._connection.address} said that {name} was written, but its version is not there")
        return next(version for version in written.versions() if version.id == note.token)

    def _write_beside(self, name: str, entry: dict[str, str]) -> None:
        beside = self._meta(_BESIDE + name)
        if beside is None:
            self._note(_BESIDE + name, notes.ownership(()), create=True)
        cas = beside.current if beside else 0
        self._kv(f"write {name}", "create_or_update_secret", _BESIDE + name, secret=entry, cas=cas, writes=True)

    def _drop_pending(self, name: str, meta: Meta, version: str) -> None:
        if meta.pending is not None and meta.pending.token == version:
            self._note(name, notes.pending_noted(None))
            what = f"clear the pending version of {name}"
            self._kv(what, "delete_metadata_and_all_versions", _BESIDE + name, writes=True)

    def _read(self, name: str, number: int | None) -> Secret:
        shown = name.removeprefix(_BESIDE)
        try:
            answer = self._kv(
                f"read {shown}", "read_secret_version", name, version=number, raise_on_deleted_version=False
            )
        except NotFoundError:
            raise self._absent(shown) from None
        data = answer["data"]
        told = data.get("metadata") or {}
        if data.get("data") is None:
            when = told.get("deletion_time")
            if when and not told.get("destroyed"):
                raise _deleted_error(NotFoundError, shown, datetime.fromisoformat(when))
            raise NotFoundError(f"that version of {shown} was destroyed")
        custom = told.get("custom_metadata") or {}
        note = Meta(0, {}, custom, datetime.now(UTC)).note(int(told["version"]))
        ours = custom.get(notes.OWNER_KEY) == OWNER
        style = note.form if note else _guessed(data["data"]) if ours else ""
        return form.secret_from(data["data"], style, shown)

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

    def _meta(self, name: str) -> Meta | None:
        try:
            return parse_meta(self._kv(f"look at {name}", "read_secret_metadata", name))
        except NotFoundError:
            return None

    def _required(self, name: str) -> Meta:
        meta = self._meta(check_name(name))
        if meta is None or (not meta.current and meta.owner != OWNER):
            raise self._absent(name)
        return meta

    def _ours(self, name: str) -> Meta:
        meta = self._required(name)
        if not meta.current:
            raise self._absent(name)
        self._check_owner(name, meta)
        if meta.deleted:
            raise _deleted_error(ConflictError, name, meta.deleted)
        return meta

    def _check_owner(self, name: str, meta: Meta) -> None:
        if meta.owner != OWNER:
            raise ForeignSecretError(
                f"{name} in {self.uri} belongs to {meta.owner!r}, so it is left alone",
                hint=f"take it over: hygiene secret adopt {name} (it sets custom_metadata {notes.OWNER_KEY}={OWNER})",
            )

    def _absent(self, name: str) -> NotFoundError:
        return NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")

    def _note(self, name: str, changes: Mapping[str, str | None], *, create: bool = False) -> None:
        if create:
            custom = {key: value for key, value in changes.items() if value is not None}
            self._kv(f"create {name}", "update_metadata", name, custom_metadata=custom, writes=True)
            return
        mount, path = self._at(name)
        body = {"custom_metadata": dict(changes)}
        self._connection.patch(f"note facts of {name}", f"{mount}/metadata/{path}", body)

    def _names(self, folder: str) -> Iterator[str]:
        mount, prefix = self._place()
        path = (prefix + folder).strip("/")
        try:
            answer = self._connection.call(
                "list secrets", lambda client: client.secrets.kv.v2.list_secrets(path, mount_point=mount)
            )
        except NotFoundError:
            return
        for key in answer["data"]["keys"]:
            name = f"{folder}/{key}" if folder else key
            if key.endswith("/") and key != _BESIDE:
                yield from self._names(name.rstrip("/"))
            elif NAME_PATTERN.match(name):
                yield name

    def _kv(self, what: str, method: str, name: str, *, writes: bool = False, **options: Any) -> Any:
        mount, path = self._at(name)
        return self._connection.call(
            what,
            lambda client: getattr(client.secrets.kv.v2, method)(path, mount_point=mount, **options),
            writes=writes,
        )

    def _at(self, name: str) -> tuple[str, str]:
        """Give the mount and the path of ``name``; what is pending lies below the mount, whatever the prefix."""
        mount, prefix = self._place()
        if name.startswith(_BESIDE):
            return mount, _BESIDE + prefix + name.removeprefix(_BESIDE)
        return mount, prefix + name

    def _place(self) -> tuple[str, str]:
        """Give the mount and the prefix (with a final slash, or empty)."""
        if not self._known_mount:
            self._known_mount = self._find_mount()
        prefix = self._path.removeprefix(self._known_mount).strip("/")
        return self._known_mount, f"{prefix}/" if prefix else ""

    def _find_mount(self) -> str:
        try:
            answer = self._connection.call(
                f"find the mount of {self._path}",
                lambda client: client.adapter.get(f"/v1/sys/internal/ui/mounts/{self._path}"),
            )
        except (AccessDeniedError, NotFoundError):
            return self._path.split("/", 1)[0]  # may not look: the first part, as vals and the vault program do
        data = answer["data"]
        if data.get("type") not in ("kv", "generic") or (data.get("options") or {}).get("version") != "2":
            raise StoreError(
                f"the mount {data.get('path')} is not a KV engine of version 2", hint="vault kv enable-versioning MOUNT"
            )
        return str(data["path"]).strip("/")


def _change_policy(client: Any, change: AccessChange) -> None:
    if change.action == "remove-policy":
        client.sys.delete_acl_policy(change.object)
    else:
        client.sys.create_or_update_acl_policy(change.object, change.detail)


def _guessed(entry: Mapping[str, Any]) -> str:
    """Guess the form of a version of ours that could not be noted."""
    return "t" if entry.keys() == {form.TEXT} else "b" if entry.keys() == {form.BINARY} else "d"


def _check_expectation(name: str, meta: Meta | None, expect: str | Expect, stage: str) -> None:
    exists = meta is not None and meta.current > 0
    if expect is Expect.ABSENT and exists:
        raise ConflictError(f"{name} exists already; nothing was written")
    if isinstance(expect, str) and (meta is None or not exists or meta.id(meta.current) != expect):
        raise ConflictError(f"the current version of {name} is not {expect}; nothing was written")
    if stage != CURRENT and not exists:
        raise ConflictError(f"{name} has no current version yet; a first version is always current")


def _deleted_error(kind: type[StoreError], name: str, moment: datetime) -> StoreError:
    return kind(
        f"{name} was deleted at {moment:%Y-%m-%d %H:%M} UTC",
        hint=f"bring it back with: hygiene secret restore {name}",
    )
