"""Conjur as a :class:`hygiene.store.protocol.Store`.

Conjur has neither stages nor compare-and-set. A secret is a variable; its pending and previous values lie in variables
beside it (``NAME@pending``, ``NAME@previous``); tokens, dates and owner are annotations. Expectations are checked
before a write, but two writers at the same moment are not told apart: ``capabilities.cas`` is false.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hygiene.config import Role
from hygiene.errors import ConflictError, ForeignSecretError, NotFoundError, StoreError
from hygiene.reference import NAME_PATTERN, Reference, check_name
from hygiene.secret import Secret
from hygiene.store.answers import judged
from hygiene.store.backends.conjur.client import Connection
from hygiene.store.backends.conjur.governance import Governance
from hygiene.store.backends.conjur.notes import (
    DUE,
    OWNER_NOTE,
    STAGES,
    Note,
    Variable,
    id_at,
    label_notes,
    note_text,
    suffix,
    told_secret,
    variable_from,
)
from hygiene.store.backends.conjur.variables import Variables
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


@judged
class ConjurStore:
    """The variables of one policy branch."""

    capabilities = Capabilities(cas=False, recoverable_delete=False, binary=False)

    def __init__(self, connection: Connection, *, uri: str, branch: str) -> None:
        """Use ``connection``; the policy ``branch`` must exist."""
        self.uri = uri
        self._connection = connection
        self._branch = branch
        self._variables = Variables(connection, branch)

    def reference(self, name: str, *, field: str = "") -> Reference:
        """Build the reference to the current version of ``name``."""
        return Reference("conjur", self._variables.id(check_name(name)), (), field)

    def name_of(self, reference: Reference) -> str:
        """Give the name that ``reference`` means here."""
        start = f"{self._branch}/" if self._branch else ""
        if reference.scheme != "conjur" or not reference.path.startswith(start):
            raise NotFoundError(f"{reference} does not belong to the store {self.uri}")
        return check_name(reference.path.removeprefix(start))

    def describe(self, name: str) -> StoredSecret | None:
        """Tell about ``name``, or None."""
        told = self._variables.find(check_name(name))
        return told_secret(name, self.reference(name), told) if told and told.current() else None

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""
        start = f"{self._connection.account}:variable:" + (f"{self._branch}/" if self._branch else "")
        found = {}
        for resource in self._connection.resources("variable"):
            name = str(resource["id"]).removeprefix(start)
            if str(resource["id"]).startswith(start) and NAME_PATTERN.match(name) and name.startswith(prefix):
                told = variable_from(resource)
                if told.current():
                    found[name] = told_secret(name, self.reference(name), told)
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
        told = self._variables.find(name)
        if told is not None and told.has_value:
            self._check_owner(name, told)
            known = self._known(name, told, secret, token)
            if known is not None:
                return known
        _check_expectation(name, told, expect, stage)
        note = Note(token, datetime.now(UTC), expires)
        if told is None:
            # The variable is ours before it has a value: a cut-off write never looks like a stranger's.
            self._variables.declare(name, {OWNER_NOTE: OWNER, **label_notes(labels)}, create=True)
            told = self._required(name)
        self._write(name, told, secret, note, stage=stage, labels=labels)
        return Version(token, note.created, frozenset({stage}), expires)

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value."""
        check_name(name)
        if version is not None:
            told = self._required(name)
            stage = next((s for s in STAGES if id_at(told, s) == version), "")
            if not stage:
                raise NotFoundError(f"{name} has no version {version}", hint="Conjur keeps current, pending, previous")
        value = self._connection.get(self._variables.id(name) + suffix(stage)) if stage in STAGES else None
        if value is None:
            found = self._variables.find(name)
            what = f"no secret {name} in {self.uri}" if found is None else f"{name} has no {stage} version"
            raise NotFoundError(what, hint="Conjur also says so where a policy does not let you know of it")
        return Secret(value)

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Make ``version`` current."""
        told = self._ours(name)
        current = told.current()
        if current is not None and current.token == version:
            self._variables.drop(name, told, PENDING, version)
            return
        stage = next((s for s in (PENDING, PREVIOUS) if id_at(told, s) == version), None)
        if stage is None:
            raise NotFoundError(f"{name} has no version {version}")
        if current is None or current.token != expect:
            raise ConflictError(f"the current version of {name} is not {expect}; nothing was changed")
        note = told.stage(stage)
        secret = self.get(name, stage=stage)
        self._write(name, told, secret, note or Note(version, datetime.now(UTC), None), stage=CURRENT, labels=())
        if stage == PENDING:
            self._variables.drop(name, self._required(name), PENDING, version)

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` off whatever version carries it."""
        if stage == CURRENT:
            raise ConflictError("the current version keeps its stage; promote another one instead")
        told = self._ours(name)
        note = told.stage(stage)
        if note is not None:
            self._variables.drop(name, told, stage, note.token)

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the current version must not be used."""
        current = self._ours(name).current()
        if current is not None:
            self._variables.declare(name, {f"hygiene/{CURRENT}": note_text(current._replace(expires=at))})
            noted = self._required(name).current()
            if noted is None or not is_same_moment(noted.expires, at):
                raise StoreError(f"{self._connection.url} said that it was noted when {name} expires, but it was not")

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""
        self._ours(name)
        self._variables.declare(name, {DUE: at.isoformat() if at else "-"})

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours."""
        if self._required(name).owner != OWNER:
            self._variables.declare(name, {OWNER_NOTE: OWNER})

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions for good; Conjur can't bring a variable back."""
        told = self._required(name)
        self._check_owner(name, told)
        if recoverable:
            raise StoreError(
                f"Conjur can't bring {name} back once it is deleted", hint="to delete it for good: --purge"
            )
        beside = [
            stage
            for stage in (PENDING, PREVIOUS)
            if self._connection.variable(self._variables.id(name) + suffix(stage))
        ]
        names = [name, *(name + suffix(stage) for stage in beside)]
        self._variables.update("".join(f"- !delete\n  record: !variable {json.dumps(one)}\n" for one in names))
        if self._variables.find(name) is not None:
            raise StoreError(f"{self._connection.url} said that {name} was deleted, but it is still there")

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

    def _known(self, name: str, told: Variable, secret: Secret, token: str) -> Version | None:
        stage = next((s for s in STAGES if id_at(told, s) == token), None)
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
        told: Variable,
        secret: Secret,
        note: Note,
        *,
        stage: str,
        labels: tuple[tuple[str, str], ...],
    ) -> None:
        notes = {f"hygiene/{stage}": note_text(note), **label_notes(labels)}
        if stage != CURRENT:
            self._variables.set_beside(name, stage, secret.reveal())
            self._variables.declare(name, notes)
            return
        current = told.current()
        present = self._connection.get(self._variables.id(name)) if told.has_value else None
        # The same value there already: a run that was cut off before it could note it.
        if present is not None and current is not None and present != secret.reveal():
            self._variables.set_beside(name, PREVIOUS, present)
            notes[f"hygiene/{PREVIOUS}"] = note_text(current)
        self._connection.set(self._variables.id(name), secret.reveal())
        self._variables.declare(name, {**notes, DUE: "-"})
        if self._connection.get(self._variables.id(name)) not in (secret.reveal(), None):
            raise StoreError(f"{self._connection.url} said that {name} was written, but it holds another value")

    def _required(self, name: str) -> Variable:
        told = self._variables.find(check_name(name))
        if told is None:
            raise NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")
        return told

    def _ours(self, name: str) -> Variable:
        told = self._required(name)
        self._check_owner(name, told)
        return told

    def _check_owner(self, name: str, told: Variable) -> None:
        if told.owner != OWNER:
            raise ForeignSecretError(
                f"{name} in {self.uri} belongs to {told.owner!r}, so it is left alone",
                hint=f"take it over: hygiene secret adopt {name} (it sets the annotation {OWNER_NOTE}: {OWNER})",
            )


def _check_expectation(name: str, told: Variable | None, expect: str | Expect, stage: str) -> None:
    current = told.current() if told else None
    if expect is Expect.ABSENT and current is not None:
        raise ConflictError(f"{name} exists already; nothing was written")
    if isinstance(expect, str) and (current is None or current.token != expect):
        raise ConflictError(f"the current version of {name} is not {expect}; nothing was written")
    if stage != CURRENT and current is None:
        raise ConflictError(f"{name} has no current version yet; a first version is always current")
