"""Conjur as a :class:`hygiene.store.protocol.Store`.

Conjur has neither stages nor compare-and-set. A secret is a variable; its pending and previous values lie in variables
beside it (``NAME@pending``, ``NAME@previous``); tokens, dates and owner are annotations. Expectations are checked
before a write, but two writers at the same moment are not told apart: ``capabilities.cas`` is false.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hygiene.config import Role
from hygiene.errors import ConflictError, ForeignSecretError, NotFoundError, StoreError
from hygiene.reference import NAME_PATTERN, Reference, check_name
from hygiene.secret import Secret
from hygiene.store.answers import judged
from hygiene.store.backends.conjur.client import Connection
from hygiene.store.backends.conjur.governance import Governance
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

OWNER_NOTE = "hygiene/owner"
_DUE, _LABEL = "hygiene/due", "hygiene/label/"
_STAGES = (CURRENT, PENDING, PREVIOUS)


class _Note(NamedTuple):
    token: str
    created: datetime
    expires: datetime | None


class _Told(NamedTuple):
    """A variable, and what its annotations say."""

    created: datetime
    notes: Mapping[str, str]
    has_value: bool

    @property
    def owner(self) -> str:
        return self.notes.get(OWNER_NOTE) or self.notes.get("managed-by") or "unknown"

    def stage(self, stage: str) -> _Note | None:
        parts = self.notes.get(f"hygiene/{stage}", "").split()
        created = _moment(parts[1]) if len(parts) == 3 else None
        return _Note(parts[0], created, _moment(parts[2])) if created else None

    def current(self) -> _Note | None:
        """The current version; one that something else wrote is called ``current``."""
        return self.stage(CURRENT) or (_Note(CURRENT, self.created, None) if self.has_value else None)


@judged
class ConjurStore:
    """The variables of one policy branch."""

    capabilities = Capabilities(cas=False, recoverable_delete=False, binary=False)

    def __init__(self, connection: Connection, *, uri: str, branch: str) -> None:
        """Use ``connection``; the policy ``branch`` must exist."""
        self.uri = uri
        self._connection = connection
        self._branch = branch

    def reference(self, name: str, *, field: str = "") -> Reference:
        """Build the reference to the current version of ``name``."""
        return Reference("conjur", self._id(check_name(name)), (), field)

    def name_of(self, reference: Reference) -> str:
        """Give the name that ``reference`` means here."""
        start = f"{self._branch}/" if self._branch else ""
        if reference.scheme != "conjur" or not reference.path.startswith(start):
            raise NotFoundError(f"{reference} does not belong to the store {self.uri}")
        return check_name(reference.path.removeprefix(start))

    def describe(self, name: str) -> StoredSecret | None:
        """Tell about ``name``, or None."""
        told = self._told(check_name(name))
        return self._stored(name, told) if told and told.current() else None

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""
        start = f"{self._connection.account}:variable:" + (f"{self._branch}/" if self._branch else "")
        found = {}
        for resource in self._connection.resources("variable"):
            name = str(resource["id"]).removeprefix(start)
            if str(resource["id"]).startswith(start) and NAME_PATTERN.match(name) and name.startswith(prefix):
                told = _told_from(resource)
                if told.current():
                    found[name] = self._stored(name, told)
        yield from (found[name] for name in sorted(found))

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
        told = self._told(name)
        if told is not None and told.has_value:
            self._check_owner(name, told)
            known = self._known(name, told, secret, token)
            if known is not None:
                return known
        _check_expectation(name, told, expect, stage)
        note = _Note(token, datetime.now(UTC), expires)
        if told is None:
            # The variable is ours before it has a value: a cut-off write never looks like a stranger's.
            self._declare(name, {OWNER_NOTE: OWNER, **_label_notes(labels)}, create=True)
            told = self._required(name)
        self._write(name, told, secret, note, stage=stage, labels=labels)
        return Version(token, note.created, frozenset({stage}), expires)

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value."""
        check_name(name)
        if version is not None:
            told = self._required(name)
            stage = next((s for s in _STAGES if _id_at(told, s) == version), "")
            if not stage:
                raise NotFoundError(f"{name} has no version {version}", hint="Conjur keeps current, pending, previous")
        value = self._connection.get(self._id(name) + _suffix(stage)) if stage in _STAGES else None
        if value is None:
            found = self._told(name)
            what = f"no secret {name} in {self.uri}" if found is None else f"{name} has no {stage} version"
            raise NotFoundError(what, hint="Conjur also says so where a policy does not let you know of it")
        return Secret(value)

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Make ``version`` current."""
        told = self._ours(name)
        current = told.current()
        if current is not None and current.token == version:
            self._drop(name, told, PENDING, version)
            return
        stage = next((s for s in (PENDING, PREVIOUS) if _id_at(told, s) == version), None)
        if stage is None:
            raise NotFoundError(f"{name} has no version {version}")
        if current is None or current.token != expect:
            raise ConflictError(f"the current version of {name} is not {expect}; nothing was changed")
        note = told.stage(stage)
        secret = self.get(name, stage=stage)
        self._write(name, told, secret, note or _Note(version, datetime.now(UTC), None), stage=CURRENT, labels=())
        if stage == PENDING:
            self._drop(name, self._required(name), PENDING, version)

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` off whatever version carries it."""
        if stage == CURRENT:
            raise ConflictError("the current version keeps its stage; promote another one instead")
        told = self._ours(name)
        note = told.stage(stage)
        if note is not None:
            self._drop(name, told, stage, note.token)

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the current version must not be used."""
        current = self._ours(name).current()
        if current is not None:
            self._declare(name, {f"hygiene/{CURRENT}": _text(current._replace(expires=at))})

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""
        self._ours(name)
        self._declare(name, {_DUE: at.isoformat() if at else "-"})

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours."""
        if self._required(name).owner != OWNER:
            self._declare(name, {OWNER_NOTE: OWNER})

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions for good; Conjur can't bring a variable back."""
        told = self._required(name)
        self._check_owner(name, told)
        if recoverable:
            raise StoreError(
                f"Conjur can't bring {name} back once it is deleted", hint="to delete it for good: --purge"
            )
        beside = [stage for stage in (PENDING, PREVIOUS) if self._connection.variable(self._id(name) + _suffix(stage))]
        names = [name, *(name + _suffix(stage) for stage in beside)]
        self._update("".join(f"- !delete\n  record: !variable {json.dumps(one)}\n" for one in names))

    def restore(self, name: str) -> None:
        """Undo a recoverable deletion, of which there is none."""
        raise NotFoundError(f"Conjur keeps no deleted secret, so {name} can't be restored")

    def plan_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which groups :meth:`apply_access` would write or remove, with their policy."""
        return self._governance().plan(roles)

    def apply_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Load the groups of ``roles``, after a dry run."""
        return self._governance().apply(roles)

    def check_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell where the groups differ from ``roles``."""
        return self._governance().plan(roles)

    def _governance(self) -> Governance:
        return Governance(self._connection, self._branch, OWNER_NOTE)

    def _known(self, name: str, told: _Told, secret: Secret, token: str) -> Version | None:
        stage = next((s for s in _STAGES if _id_at(told, s) == token), None)
        if stage is None:
            return None
        if self.get(name, stage=stage) != secret:
            raise ConflictError(f"the token was used for another value of {name}; nothing was written")
        note = told.stage(stage)
        assert note is not None
        return Version(token, note.created, frozenset({stage}), note.expires)

    def _write(
        self,
        name: str,
        told: _Told,
        secret: Secret,
        note: _Note,
        *,
        stage: str,
        labels: tuple[tuple[str, str], ...],
    ) -> None:
        notes = {f"hygiene/{stage}": _text(note), **_label_notes(labels)}
        if stage != CURRENT:
            self._set_beside(name, stage, secret.reveal())
            self._declare(name, notes)
            return
        current = told.current()
        present = self._connection.get(self._id(name)) if told.has_value else None
        # The same value there already: a run that was cut off before it could note it.
        if present is not None and current is not None and present != secret.reveal():
            self._set_beside(name, PREVIOUS, present)
            notes[f"hygiene/{PREVIOUS}"] = _text(current)
        self._connection.set(self._id(name), secret.reveal())
        self._declare(name, {**notes, _DUE: "-"})
        if self._connection.get(self._id(name)) not in (secret.reveal(), None):
            raise StoreError(f"{self._connection.url} said that {name} was written, but it holds another value")

    def _set_beside(self, name: str, stage: str, value: bytes) -> None:
        id = self._id(name) + _suffix(stage)
        if self._connection.variable(id) is None:
            self._declare(name + _suffix(stage), {OWNER_NOTE: OWNER}, create=True)
        self._connection.set(id, value)

    def _drop(self, name: str, told: _Told, stage: str, token: str) -> None:
        note = told.stage(stage)
        if note is not None and note.token == token:
            self._declare(name, {f"hygiene/{stage}": "-"})
            if self._connection.variable(self._id(name) + _suffix(stage)) is not None:
                self._update(f"- !delete\n  record: !variable {json.dumps(name + _suffix(stage))}\n")

    def _declare(self, name: str, notes: Mapping[str, str], *, create: bool = False) -> None:
        lines = [f"- !variable\n  id: {json.dumps(name)}\n  annotations:\n"]
        lines += [f"    {json.dumps(key)}: {json.dumps(value)}\n" for key, value in notes.items()]
        if create:
            self._connection.load(self._branch or "root", "".join(lines))
        else:
            self._update("".join(lines))

    def _update(self, policy: str) -> None:
        self._connection.update(self._branch or "root", policy)

    def _told(self, name: str) -> _Told | None:
        resource = self._connection.variable(self._id(name))
        return _told_from(resource) if resource else None

    def _required(self, name: str) -> _Told:
        told = self._told(check_name(name))
        if told is None:
            raise NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")
        return told

    def _ours(self, name: str) -> _Told:
        told = self._required(name)
        self._check_owner(name, told)
        return told

    def _check_owner(self, name: str, told: _Told) -> None:
        if told.owner != OWNER:
            raise ForeignSecretError(
                f"{name} in {self.uri} belongs to {told.owner!r}, so it is left alone",
                hint=f"take it over: hygiene secret adopt {name} (it sets the annotation {OWNER_NOTE}: {OWNER})",
            )

    def _stored(self, name: str, told: _Told) -> StoredSecret:
        noted = {CURRENT: told.current(), PENDING: told.stage(PENDING), PREVIOUS: told.stage(PREVIOUS)}
        versions = [
            Version(note.token, note.created, frozenset({stage}), note.expires) for stage, note in noted.items() if note
        ]
        current = noted[CURRENT]
        labels = [(key.removeprefix(_LABEL), value) for key, value in told.notes.items() if key.startswith(_LABEL)]
        return StoredSecret(
            name=name,
            reference=self.reference(name),
            owner=told.owner,
            versions=tuple(sorted(versions, key=lambda version: version.created, reverse=True)),
            created=told.created,
            expires=current.expires if current else None,
            due=_moment(told.notes.get(_DUE, "")),
            labels=tuple(sorted(labels)),
        )

    def _id(self, name: str) -> str:
        return f"{self._branch}/{name}" if self._branch else name


def _told_from(resource: Mapping[str, Any]) -> _Told:
    notes = {str(note["name"]): str(note.get("value", "")) for note in resource.get("annotations", [])}
    created = _moment(str(resource.get("created_at", ""))) or datetime.fromtimestamp(0, UTC)
    return _Told(created, notes, bool(resource.get("secrets")))


def _check_expectation(name: str, told: _Told | None, expect: str | Expect, stage: str) -> None:
    current = told.current() if told else None
    if expect is Expect.ABSENT and current is not None:
        raise ConflictError(f"{name} exists already; nothing was written")
    if isinstance(expect, str) and (current is None or current.token != expect):
        raise ConflictError(f"the current version of {name} is not {expect}; nothing was written")
    if stage != CURRENT and current is None:
        raise ConflictError(f"{name} has no current version yet; a first version is always current")


def _id_at(told: _Told, stage: str) -> str | None:
    note = told.current() if stage == CURRENT else told.stage(stage)
    return note.token if note else None


def _suffix(stage: str) -> str:
    return "" if stage == CURRENT else f"@{stage}"


def _label_notes(labels: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {_LABEL + key: value for key, value in labels}


def _text(note: _Note) -> str:
    return f"{note.token} {note.created.isoformat()} {note.expires.isoformat() if note.expires else '-'}"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
