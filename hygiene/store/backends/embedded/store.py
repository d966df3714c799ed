"""The embedded store as a :class:`hygiene.store.protocol.Store`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from hygiene import crypto
from hygiene.config import Role
from hygiene.errors import ConflictError, NotFoundError
from hygiene.reference import Reference, check_name
from hygiene.secret import Secret
from hygiene.store import access
from hygiene.store.backends.embedded.governance import Governance
from hygiene.store.backends.embedded.grants import Asked, find_request, told_request, write_request
from hygiene.store.backends.embedded.memory import Memory
from hygiene.store.backends.embedded.merging import merge_records
from hygiene.store.backends.embedded.policy import Policy, latest_serial
from hygiene.store.backends.embedded.preconditions import (
    check_expectation,
    check_owner,
    check_stage,
    deleted_error,
)
from hygiene.store.backends.embedded.record import Entry, Record, now, version_of
from hygiene.store.backends.embedded.recordstore import RecordStore
from hygiene.store.backends.embedded.session import Session
from hygiene.store.backends.embedded.valuestore import ValueStore
from hygiene.store.checks import check_put
from hygiene.store.protocol import (
    CURRENT,
    DELETE,
    READ,
    WRITE,
    AccessChange,
    AccessRequest,
    Capabilities,
    Expect,
    StoredSecret,
    Version,
)


class EmbeddedStore:
    """A folder of signed records and age files."""

    capabilities = Capabilities()

    def __init__(
        self,
        root: Path,
        *,
        uri: str,
        label: str,
        identity: Callable[[bool], crypto.Identity],
        memory: Memory,
        notify: Callable[[str], None],
        owner: str = "hygiene",
    ) -> None:
        """Open the store at ``root``, which is made at the first write.

        ``label`` is what references carry as ``store=`` (empty for the default store); ``identity`` finds
        the user's identity, and makes one when told True; ``notify`` is told the recovery key, once.
        """
        self.root = root
        self.uri = uri
        self._label = label
        self._query = (("store", label),) if label else ()
        self._owner = owner
        self._session = Session(root, uri=uri, identity=identity, memory=memory, notify=notify)
        self._records = RecordStore(self._session)
        self._values = ValueStore(self._session, self._records)
        self._governance = Governance(self._session, self._records, self._values)

    def reference(self, name: str, *, field: str = "") -> Reference:
        """Build the reference to the current version of ``name``."""
        return Reference("embedded", check_name(name), self._query, field)

    def name_of(self, reference: Reference) -> str:
        """Give the name that ``reference`` means here."""
        if reference.scheme != "embedded" or (reference.parameter("store") or "") != self._label:
            raise NotFoundError(f"{reference} does not belong to the store {self.uri}")
        return check_name(reference.path)

    def describe(self, name: str) -> StoredSecret | None:
        """Tell about ``name``, or None."""
        record = self._records.find(name)
        return None if record is None else record.told(self.reference(name))

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""
        policy = self.policy()
        if policy is None:
            return
        for record in self._records.all(policy, prefix):
            if not record.gone:
                yield record.told(Reference("embedded", record.name, self._query))

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
        with self._writing(name, access.WRITING) as (policy, record):
            if record is not None:
                check_owner(record, self._owner)
                known = record.entry(id=token)
                if known is not None:
                    self._values.check_same(record, known, secret)
                    return version_of(known)
            check_expectation(name, record, expect)
            check_stage(name, record, stage)
            entry = self._values.write(policy, name, secret, token, expires)
            changed = self._base(policy, name, record, entry).with_entry(entry).with_stage(token, stage)
            self._records.commit(policy, changed._replace(labels=tuple(sorted(labels)) or changed.labels))
            return version_of(changed.versions[0])

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value."""
        return self._values.get(name, stage=stage, version=version)

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Make ``version`` current."""
        with self._changing(name, access.WRITING) as (policy, record):
            current = record.entry(stage=CURRENT)
            if record.entry(id=version) is None:
                raise NotFoundError(f"{name} has no version {version}")
            if current is not None and current.id == version:
                return
            if current is None or current.id != expect:
                raise ConflictError(f"the current version of {name} is not {expect}; nothing was changed")
            self._records.commit(policy, record.with_stage(version, CURRENT))

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` off whatever version carries it."""
        if stage == CURRENT:
            raise ConflictError("the current version keeps its stage; promote another one instead")
        with self._changing(name, access.WRITING) as (policy, record):
            if record.entry(stage=stage) is not None:
                self._records.commit(policy, record.without_stage(stage))

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the current version must not be used."""
        with self._changing(name, access.WRITING) as (policy, record):
            versions = tuple(e._replace(expires=at) if CURRENT in e.stages else e for e in record.versions)
            self._records.commit(policy, record._replace(versions=versions))

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""
        with self._changing(name, access.WRITING) as (policy, record):
            self._records.commit(policy, record._replace(due=at))

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours."""
        with self._changing(name, access.WRITING, foreign=True) as (policy, record):
            if record.owner != self._owner:
                self._records.commit(policy, record._replace(owner=self._owner))

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions; where ``recoverable``, :meth:`restore` brings them back."""
        with self._changing(name, access.DELETING, deleted=True) as (policy, record):
            moment = record.deleted or now()
            if not recoverable:
                # The record stays as a signed tombstone, so that an older one never passes for a new one.
                self._records.commit(policy, record._replace(versions=(), deleted=moment, due=None, labels=()))
            elif record.deleted is None:
                self._records.commit(policy, record._replace(deleted=moment))

    def restore(self, name: str) -> None:
        """Undo a recoverable deletion."""
        with self._changing(name, access.DELETING, deleted=True) as (policy, record):
            if record.deleted is not None:
                self._records.commit(policy, record._replace(deleted=None))

    def rule_for(self, verb: str, name: str) -> str:
        """Name what lets the user READ, WRITE or DELETE ``name``; empty where nothing does."""
        verbs = {READ: access.READING, WRITE: access.WRITING, DELETE: access.DELETING}[verb]
        policy = self._session.held or self.policy()  # what was decided was decided by it
        return self._session.rule(policy, verbs, name) if policy else ""

    def plan_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell what :meth:`apply_access` would do."""
        return self._governance.plan(roles)

    def apply_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Sign a policy of ``roles``, encrypt values anew, mark due what a member who left could read."""
        return self._governance.apply(roles)

    def renew_recovery(self, show: Callable[[str], None]) -> Sequence[AccessChange]:
        """Put a new recovery key in the old one's place: shown to ``show``, and to nobody again."""
        if self.policy() is None:
            raise NotFoundError(f"there is no store at {self.root}")
        return self._governance.renew_recovery(show)

    def check_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Verify every record and value, and tell what is wrong or differs from ``roles``."""
        return self._governance.check(roles)

    def request_access(self, paths: Sequence[str], reason: str, duration: timedelta) -> AccessRequest:
        """Ask to read the secrets that ``paths`` cover."""
        policy = self.policy()
        if policy is None:
            raise NotFoundError(f"there is no store at {self.root}")
        id = write_request(self.root, policy, self.identity(), paths=tuple(paths), reason=reason, duration=duration)
        return told_request(policy, Asked(find_request(self.root, policy, id), ()))

    def decide_access(self, id: str, *, approved: bool, reason: str = "", break_glass: bool = False) -> AccessRequest:
        """Approve or deny a request."""
        if self.policy() is None:
            raise NotFoundError(f"there is no store at {self.root}")
        self._governance.decide(id, approved=approved, reason=reason, break_glass=break_glass)
        return next(request for request in self.access_requests() if request.id == id)

    def access_requests(self) -> Sequence[AccessRequest]:
        """Tell the requests and their state, oldest first."""
        policy = self.policy()
        return [told_request(policy, asked) for asked in self._session.requests(policy)] if policy else []

    def merge_records(self, base: bytes, ours: bytes, theirs: bytes) -> bytes:
        """Merge three states of one record, as git hands them over; gives the signed result.

        Raises :class:`IntegrityError` for a side that its signer had no right to write.
        """
        return merge_records(self._session, self._records, base, ours, theirs)

    def accept_present(self) -> None:
        """Take what stands in the store now for the newest state: after going back on purpose."""
        self._session.accept_present()

    def identity(self) -> crypto.Identity:
        """Give the user's identity; raises :class:`IdentityError`."""
        return self._session.identity()

    def policy(self) -> Policy | None:
        """Give the newest policy, verified and followed from the one remembered; None where there is no store."""
        return self._session.policy()

    @contextmanager
    def _writing(self, name: str, verbs: frozenset[str]) -> Iterator[tuple[Policy, Record | None]]:
        with self._session.exclusive() as policy:
            self._session.require(policy, verbs, name)
            yield policy, self._records.load(name, policy)

    @contextmanager
    def _changing(
        self, name: str, verbs: frozenset[str], *, foreign: bool = False, deleted: bool = False
    ) -> Iterator[tuple[Policy, Record]]:
        check_name(name)
        if latest_serial(self.root) == 0:
            raise NotFoundError(f"no secret {name} in {self.uri}")
        with self._writing(name, verbs) as (policy, record):
            if record is None or record.gone:
                raise NotFoundError(f"no secret {name} in {self.uri}")
            if not foreign:
                check_owner(record, self._owner)
            if record.deleted is not None and not deleted:
                raise deleted_error(name, record.deleted)
            yield policy, record

    def _base(self, policy: Policy, name: str, record: Record | None, entry: Entry) -> Record:
        """Give the record that ``entry`` is added to: a new one where there is none, or only a tombstone."""
        base = record or Record(policy.store, name, 0, self._owner, entry.created)
        if base.gone:
            base = base._replace(created=entry.created, owner=self._owner, labels=(), deleted=None, due=None)
        return base
