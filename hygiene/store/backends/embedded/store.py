"""The embedded store as a :class:`hygiene.store.protocol.Store`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from pathlib import Path

from hygiene import crypto
from hygiene.config import Role
from hygiene.errors import (
    AccessDeniedError,
    ConflictError,
    ForeignSecretError,
    IdentityError,
    IntegrityError,
    NotFoundError,
)
from hygiene.fileio import locked, make_private_folder, sweep_temporary, write_atomic, write_error
from hygiene.reference import Reference, check_name
from hygiene.secret import Secret
from hygiene.store import access
from hygiene.store.backends.embedded import governance, layout
from hygiene.store.backends.embedded.grants import (
    active_readers,
    find_request,
    read_requests,
    told_request,
    write_request,
)
from hygiene.store.backends.embedded.memory import Memory, Seen
from hygiene.store.backends.embedded.policy import Policy, create_policy, latest_serial, read_policy, reader_id
from hygiene.store.backends.embedded.record import (
    KIND,
    Entry,
    Record,
    format_record,
    merged,
    parse_record,
    version_of,
)
from hygiene.store.backends.embedded.signed import digest, parse_document, sign_document, signer_of
from hygiene.store.checks import check_put
from hygiene.store.protocol import CURRENT, AccessChange, AccessRequest, Capabilities, Expect, StoredSecret, Version

_DELETING = frozenset({"delete"})
_SIGNING = access.WRITING | {"grant"}
_IGNORED = "# Locks and unfinished writes are of this machine alone.\n.lock\n.hygiene-tmp-*\n"
_ATTRIBUTES = "@record.json merge=hygiene-record\n*.age binary\n"


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
        self._folder = str(root)
        self._find_identity = identity
        self._found: crypto.Identity | None = None
        self._memory = memory
        self._notify = notify
        self._owner = owner
        self._policy: Policy | None = None

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
        policy = self.policy()
        record = self._load(check_name(name), policy) if policy else None
        return None if record is None or record.gone else record.told(self.reference(name))

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""
        policy = self.policy()
        if policy is None:
            return
        for record in self.records(policy, prefix):
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
                self._check_ours(record)
                known = record.entry(id=token)
                if known is not None:
                    return self._retried(record, known, secret)
            _check_expectation(name, record, expect)
            _check_stage(name, record, stage)
            entry = self._write_value(policy, name, secret, token, expires)
            base = record or Record(policy.store, name, 0, self._owner, entry.created)
            if base.gone:
                base = base._replace(created=entry.created, owner=self._owner, labels=(), deleted=None, due=None)
            changed = base.with_entry(entry).with_stage(token, stage)
            self.commit(policy, changed._replace(labels=tuple(sorted(labels)) or base.labels))
            return version_of(changed.versions[0])

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value."""
        policy = self.policy()
        if policy is None:
            raise NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")
        self._require(policy, access.READING, check_name(name))
        before = b""
        while True:
            # What was seen is asked for first: a writer may be quicker than the two reads.
            seen = self._memory.record(policy.store, name)
            raw = self._read_raw(policy, name)
            record = self._checked(name, raw, policy, seen)
            entry = _wanted(name, record, stage, version)
            sealed = self._read_value(name, entry)
            if sealed is not None:
                return self.identity().decrypt(sealed)
            if raw == before:
                raise IntegrityError(
                    f"the value of {name} is missing or changed", hint="restore the store from git or a backup"
                )
            before = raw  # a writer may have replaced it just now: look again

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
            self.commit(policy, record.with_stage(version, CURRENT))

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` off whatever version carries it."""
        if stage == CURRENT:
            raise ConflictError("the current version keeps its stage; promote another one instead")
        with self._changing(name, access.WRITING) as (policy, record):
            if record.entry(stage=stage) is not None:
                self.commit(policy, record.without_stage(stage))

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the current version must not be used."""
        with self._changing(name, access.WRITING) as (policy, record):
            versions = tuple(e._replace(expires=at) if CURRENT in e.stages else e for e in record.versions)
            self.commit(policy, record._replace(versions=versions))

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""
        with self._changing(name, access.WRITING) as (policy, record):
            self.commit(policy, record._replace(due=at))

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours."""
        with self._changing(name, access.WRITING, foreign=True) as (policy, record):
            if record.owner != self._owner:
                self.commit(policy, record._replace(owner=self._owner))

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions; where ``recoverable``, :meth:`restore` brings them back."""
        with self._changing(name, _DELETING, deleted=True) as (policy, record):
            moment = record.deleted or _now()
            if not recoverable:
                # The record stays as a signed tombstone, so that an older one never passes for a new one.
                self.commit(policy, record._replace(versions=(), deleted=moment, due=None, labels=()))
            elif record.deleted is None:
                self.commit(policy, record._replace(deleted=moment))

    def restore(self, name: str) -> None:
        """Undo a recoverable deletion."""
        with self._changing(name, _DELETING, deleted=True) as (policy, record):
            if record.deleted is not None:
                self.commit(policy, record._replace(deleted=None))

    def plan_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell what :meth:`apply_access` would do."""
        return governance.plan(self, roles)

    def apply_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Sign a policy of ``roles``, encrypt values anew, mark due what a member who left could read."""
        return governance.apply(self, roles)

    def check_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Verify every record and value, and tell what is wrong or differs from ``roles``."""
        return governance.check(self, roles)

    def request_access(self, paths: Sequence[str], reason: str, duration: timedelta) -> AccessRequest:
        """Ask to read the secrets that ``paths`` cover."""
        policy = self.policy()
        if policy is None:
            raise NotFoundError(f"there is no store at {self.root}")
        id = write_request(self.root, policy, self.identity(), paths=tuple(paths), reason=reason, duration=duration)
        return told_request(policy, find_request(self.root, policy, id), ())

    def decide_access(self, id: str, *, approved: bool, reason: str = "", break_glass: bool = False) -> AccessRequest:
        """Approve or deny a request."""
        if self.policy() is None:
            raise NotFoundError(f"there is no store at {self.root}")
        governance.decide(self, id, approved=approved, reason=reason, break_glass=break_glass)
        return next(request for request in self.access_requests() if request.id == id)

    def access_requests(self) -> Sequence[AccessRequest]:
        """Tell the requests and their state, oldest first."""
        policy = self.policy()
        found = read_requests(self.root, policy) if policy else ()
        return [told_request(policy, request, decisions) for request, decisions in found if policy]

    def merge_records(self, base: bytes, ours: bytes, theirs: bytes) -> bytes:
        """Merge three states of one record, as git hands them over; gives the signed result.

        Raises :class:`IntegrityError` for a side that its signer had no right to write.
        """
        policy = self.policy()
        if policy is None:
            raise NotFoundError(f"there is no store at {self.root}")
        sides = []
        for raw in (ours, theirs):
            document = parse_document(raw, "a side of the merge")
            record = parse_record(document, "a side of the merge")
            if record.store != policy.store:
                raise IntegrityError("a side of the merge is the record of another store")
            self._check_signer(document, record, policy, digest(raw))
            sides.append(record)
        mine, other = sides
        if mine.name != other.name:
            raise IntegrityError("the sides of the merge are records of different secrets")
        # Without a common ancestor (both made it) the sides are merged as changes of nothing.
        ancestor = parse_record(parse_document(base, "the ancestor"), "the ancestor") if base.strip() else None
        result = merged(ancestor or mine._replace(versions=(), serial=0), mine, other)
        if result in sides:
            return ours if result == mine else theirs
        self._require(policy, access.WRITING, mine.name)
        return sign_document(self.identity(), KIND, format_record(result))

    def accept_present(self) -> None:
        """Take what stands in the store now for the newest state: after going back on purpose."""
        self._memory.forget_store(self.root)
        self._policy = None

    def identity(self) -> crypto.Identity:
        """Give the user's identity; raises :class:`IdentityError`."""
        if self._found is None:
            self._found = self._find_identity(False)
        return self._found

    def policy(self) -> Policy | None:
        """Give the newest policy, verified and followed from the one remembered; None where there is no store."""
        serial = latest_serial(self.root)
        if serial == 0:
            return None
        if self._policy is None or self._policy.serial != serial:
            self._policy = self._verified_policy()
        return self._policy

    def records(self, policy: Policy, prefix: str = "") -> Iterator[Record]:
        """Give every record, verified, tombstones included, in the order of names."""
        for record, _ in self.each(policy, prefix):
            yield record

    def each(self, policy: Policy, prefix: str = "") -> Iterator[tuple[Record, bytes]]:
        """Give every record with its bytes, verified, tombstones included, in the order of names."""
        seen = self._memory.records(policy.store)
        names = layout.record_names(self.root, prefix)
        missing = sorted(name for name in seen.keys() - set(names) if name.startswith(prefix))
        if missing:
            raise _gone_error(missing[0])
        news: MutableSequence[tuple[str, Seen]] = []
        for name in names:
            raw = self._read_raw(policy, name)
            yield self._checked(name, raw, policy, seen.get(name), remember=news), raw
        self._memory.remember(policy.store, news)

    def _verified_policy(self) -> Policy:
        policy = read_policy(self.root)
        known = self._memory.store(self.root)
        if known is not None:
            self._check_known(policy, *known)
        seen = Seen(policy.serial, policy.digest)
        if known != (policy.store, seen):
            self._memory.remember_store(self.root, policy.store, seen)
        return policy

    def _check_known(self, policy: Policy, id: str, seen: Seen) -> None:
        if policy.store != id:
            raise IntegrityError(
                f"{self.root} is another store than the one seen there before",
                hint="if that is meant: hygiene access check --accept",
            )
        if policy.serial < seen.serial or (policy.serial == seen.serial and policy.digest != seen.digest):
            raise IntegrityError(
                f"the policy of {self.root} is older than one seen before",
                hint="if you went back on purpose: hygiene access check --accept",
            )

    def _create(self) -> Policy:
        identity = self._find_identity(True)
        recovery, key = crypto.generate_identity()
        # Shown before the store is made: a crash in between loses a key that opens nothing.
        self._notify(key)
        write_atomic(self.root / ".gitignore", _IGNORED.encode())
        write_atomic(self.root / ".gitattributes", _ATTRIBUTES.encode())
        create_policy(self.root, identity, recovery.member)
        self._found = identity
        self._policy = read_policy(self.root)
        self._memory.remember_store(self.root, self._policy.store, Seen(1, self._policy.digest))
        return self._policy

    @contextmanager
    def exclusive(self) -> Iterator[Policy]:
        """Hold the store's lock, and give the policy that then holds; makes the store where there is none."""
        make_private_folder(self.root)
        with locked(self.root / ".lock"):
            yield self.policy() or self._create()

    @contextmanager
    def _writing(self, name: str, verbs: frozenset[str]) -> Iterator[tuple[Policy, Record | None]]:
        with self.exclusive() as policy:
            self._require(policy, verbs, name)
            yield policy, self._load(name, policy)

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
                self._check_ours(record)
            if record.deleted is not None and not deleted:
                raise _deleted_error(name, record.deleted)
            yield policy, record

    def _check_ours(self, record: Record) -> None:
        if not record.gone and record.owner != self._owner:
            raise ForeignSecretError(
                f"{record.name} belongs to {record.owner!r}, so it is left alone",
                hint=f"to take it over: hygiene secret put {record.name} --adopt",
            )

    def _require(self, policy: Policy, verbs: frozenset[str], name: str) -> None:
        member = self.identity().member
        if policy.rule(member, verbs, name):
            return
        if verbs != access.READING or member.recipient not in active_readers(self.root, policy, name):
            raise AccessDeniedError(
                f"your identity may not {' or '.join(sorted(verbs))} {name}",
                hint="no role in the store's policy allows it; hygiene access request asks for it",
            )

    def _load(self, name: str, policy: Policy) -> Record | None:
        seen = self._memory.record(policy.store, name)
        try:
            raw = layout.read_file(layout.record_path(self._folder, name))
        except (FileNotFoundError, NotADirectoryError):
            if seen is not None:
                raise _gone_error(name) from None
            return None
        except OSError as error:
            raise _unreadable(name, error) from error
        return self._checked(name, raw, policy, seen)

    def _read_raw(self, policy: Policy, name: str) -> bytes:
        try:
            return layout.read_file(layout.record_path(self._folder, name))
        except (FileNotFoundError, NotADirectoryError):
            if self._memory.record(policy.store, name) is not None:
                raise _gone_error(name) from None
            raise NotFoundError(
                f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there"
            ) from None
        except OSError as error:
            raise _unreadable(name, error) from error

    def _checked(
        self,
        name: str,
        raw: bytes,
        policy: Policy,
        seen: Seen | None,
        remember: MutableSequence[tuple[str, Seen]] | None = None,
    ) -> Record:
        document = parse_document(raw, f"the record of {name}")
        record = parse_record(document, f"the record of {name}")
        if record.name != name or record.store != policy.store:
            raise IntegrityError(f"the record of {name} is that of another secret: {record.name} was put in its place")
        own = digest(raw)
        if seen is not None and seen.digest == own:
            return record
        if seen is not None and record.serial <= seen.serial:
            raise IntegrityError(
                f"the record of {name} is older than one seen before (change {record.serial}, not {seen.serial})",
                hint="if you went back on purpose: hygiene access check --accept",
            )
        self._check_signer(document, record, policy, own)
        news = (name, Seen(record.serial, own))
        if remember is None:
            self._memory.remember(policy.store, [news])
        else:
            remember.append(news)
        return record

    def _check_signer(self, document: dict[str, object], record: Record, policy: Policy, own: str) -> None:
        signer = signer_of(document, KIND)
        if not signer:
            raise IntegrityError(
                f"the record of {record.name} was changed after it was signed",
                hint="restore it from git or a backup",
            )
        verbs = _DELETING if record.deleted else _SIGNING
        # The policy may have changed since it was read, by whoever then wrote the record.
        policy = self.policy() or policy
        if policy.vouched.get(record.name) != own and not policy.signer_rule(signer, verbs, record.name):
            raise IntegrityError(
                f"the record of {record.name} was written by someone whose roles don't allow it",
                hint="restore it from git or a backup, and look who changed it",
            )

    def _retried(self, record: Record, known: Entry, secret: Secret) -> Version:
        same = compare_digest(known.check, self._retry_check(record.name, known.id, secret))
        if not same:
            sealed = self._read_value(record.name, known)
            try:
                same = sealed is not None and self.identity().decrypt(sealed) == secret
            except IdentityError:
                same = False
        if not same:
            raise ConflictError(f"the token was used for another value of {record.name}; nothing was written")
        return version_of(known)

    def _retry_check(self, name: str, token: str, secret: Secret) -> str:
        return self.identity().mac("retry", f"{name}\0{token}\0".encode() + secret.reveal()).hex()[:32]

    def _write_value(self, policy: Policy, name: str, secret: Secret, token: str, expires: datetime | None) -> Entry:
        own, readers = self._seal(policy, name, secret)
        check = self._retry_check(name, token, secret)
        return Entry(token, _now(), (), own, readers, check, expires)

    def readers(self, policy: Policy, name: str) -> tuple[str, ...]:
        """Give the recipients that may read ``name`` now: by their roles, or by an access that was approved."""
        guests = active_readers(self.root, policy, name)
        return tuple(dict.fromkeys((*policy.readers(name), *guests)))

    def resealed(self, policy: Policy, record: Record) -> Record:
        """Encrypt the values of ``record`` anew where others may read it now than could; not committed yet."""
        wanted = tuple(sorted(reader_id(reader) for reader in self.readers(policy, record.name)))
        versions = []
        for entry in record.versions:
            renewed = entry
            if entry.readers != wanted:
                sealed = self._read_value(record.name, entry)
                if sealed is None:
                    raise IntegrityError(f"the value of {record.name} is missing or changed")
                own, readers = self._seal(policy, record.name, self.identity().decrypt(sealed))
                renewed = entry._replace(digest=own, readers=readers)
            versions.append(renewed)
        return record._replace(versions=tuple(versions))

    def _seal(self, policy: Policy, name: str, secret: Secret) -> tuple[str, tuple[str, ...]]:
        readers = self.readers(policy, name)
        sealed = crypto.encrypt(secret, readers)
        own = digest(sealed)
        path = Path(layout.value_path(self._folder, name, own))
        make_private_folder(path.parent)
        write_atomic(path, sealed)
        return own, tuple(sorted(reader_id(reader) for reader in readers))

    def _read_value(self, name: str, entry: Entry) -> bytes | None:
        """Give the age file of ``entry``, or None where it is missing or not the one that was signed."""
        try:
            sealed = layout.read_file(layout.value_path(self._folder, name, entry.digest))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(name, error) from error
        return sealed if digest(sealed) == entry.digest else None

    def commit(self, policy: Policy, record: Record) -> None:
        """Sign the next state of ``record`` and put it in place; the lock must be held."""
        record = record._replace(serial=record.serial + 1)
        raw = sign_document(self.identity(), KIND, format_record(record))
        folder = layout.record_folder(self.root, record.name)
        write_atomic(folder / layout.RECORD, raw)
        self._memory.remember(policy.store, [(record.name, Seen(record.serial, digest(raw)))])
        try:
            sweep_temporary(folder)
            for leftover in layout.unnamed_values(folder, {entry.digest for entry in record.versions}):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(folder, error) from error


def _now() -> datetime:
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)  # what a record can say


def _check_expectation(name: str, record: Record | None, expect: str | Expect) -> None:
    exists = record is not None and not record.gone
    if record is not None and exists and record.deleted is not None:
        raise _deleted_error(name, record.deleted)
    if expect is Expect.ANYTHING:
        return
    if expect is Expect.ABSENT:
        if exists:
            raise ConflictError(f"{name} exists already; nothing was written")
        return
    current = record.entry(stage=CURRENT) if record else None
    if current is None or current.id != expect:
        raise ConflictError(f"the current version of {name} is not {expect}; nothing was written")


def _check_stage(name: str, record: Record | None, stage: str) -> None:
    if stage != CURRENT and (record is None or record.entry(stage=CURRENT) is None):
        raise ConflictError(f"{name} has no current version yet; a first version is always current")


def _wanted(name: str, record: Record, stage: str, version: str | None) -> Entry:
    if record.deleted is not None and not record.gone:
        deleted = _deleted_error(name, record.deleted)
        raise NotFoundError(deleted.message, hint=deleted.hint)
    entry = record.entry(id=version) if version else record.entry(stage=stage)
    if entry is None:
        what = f"version {version}" if version else f"{stage} version"
        raise NotFoundError(f"{name} has no {what}", hint="hygiene secret history shows the versions")
    return entry


def _deleted_error(name: str, moment: datetime) -> ConflictError:
    return ConflictError(
        f"{name} was deleted at {moment:%Y-%m-%d %H:%M} UTC",
        hint="bring it back with: hygiene secret restore, or delete it for good with: hygiene secret delete --purge",
    )


def _gone_error(name: str) -> IntegrityError:
    return IntegrityError(
        f"the record of {name} was removed by other means than hygiene",
        hint="restore it from git or a backup; if that is meant: hygiene access check --accept",
    )


def _unreadable(name: str, error: OSError) -> IntegrityError:
    return IntegrityError(f"the record of {name} can't be read: {error.strerror}")
