"""The values beside the records: age files, each encrypted to exactly those who may read it."""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest
from pathlib import Path

from hygiene import crypto
from hygiene.errors import ConflictError, IdentityError, IntegrityError, NotFoundError
from hygiene.fileio import make_private_folder, write_atomic
from hygiene.reference import check_name
from hygiene.secret import Secret
from hygiene.store import access
from hygiene.store.backends.embedded import layout
from hygiene.store.backends.embedded.policy import Policy, reader_id
from hygiene.store.backends.embedded.preconditions import wanted_entry
from hygiene.store.backends.embedded.record import Entry, Record, now
from hygiene.store.backends.embedded.recordstore import RecordStore, unreadable
from hygiene.store.backends.embedded.session import Session
from hygiene.store.backends.embedded.signed import digest
from hygiene.store.protocol import CURRENT


class ValueStore:
    """The values that a session can open."""

    def __init__(self, session: Session, records: RecordStore) -> None:
        """Open the values that ``records`` name, as the user of ``session``."""
        self._session = session
        self._records = records
        self._folder = str(session.root)

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value, of the version called ``version`` or the one that carries ``stage``."""
        policy = self._session.policy()
        if policy is None:
            raise NotFoundError(
                f"no secret {name} in {self._session.uri}", hint="hygiene secret list shows what is there"
            )
        self._session.require(policy, access.READING, check_name(name))
        before = b""
        while True:
            # What was seen is asked for first: a writer may be quicker than the two reads.
            seen = self._session.memory.record(policy.store, name)
            raw = self._records.read(policy, name)
            record = self._records.verified(name, raw, policy, seen)
            sealed = self._sealed(name, wanted_entry(name, record, stage, version))
            if sealed is not None:
                return self._session.identity().decrypt(sealed)
            if raw == before:
                raise IntegrityError(
                    f"the value of {name} is missing or changed", hint="restore the store from git or a backup"
                )
            before = raw  # a writer may have replaced it just now: look again

    def write(self, policy: Policy, name: str, secret: Secret, token: str, expires: datetime | None) -> Entry:
        """Encrypt a new value of ``name``; gives its version, which no record names yet."""
        own, readers = self._seal(policy, name, secret)
        check = self._retry_check(name, token, secret)
        return Entry(token, now(), (), own, readers, check, expires)

    def check_same(self, record: Record, known: Entry, secret: Secret) -> None:
        """Raise :class:`ConflictError` unless the version ``known`` was made of ``secret``: a retry of its writer."""
        same = compare_digest(known.check, self._retry_check(record.name, known.id, secret))
        if not same:
            sealed = self._sealed(record.name, known)
            try:
                same = sealed is not None and self._session.identity().decrypt(sealed) == secret
            except IdentityError:
                same = False
        if not same:
            raise ConflictError(f"the token was used for another value of {record.name}; nothing was written")

    def readers(self, policy: Policy, name: str) -> tuple[str, ...]:
        """Give the recipients that may read ``name`` now: by their roles, or by an access that was approved."""
        guests = self._session.guests(policy, name)
        return tuple(dict.fromkeys((*policy.readers(name), *guests)))

    def resealed(self, policy: Policy, record: Record) -> Record:
        """Encrypt the values of ``record`` anew where others may read it now than could; not committed yet."""
        wanted = tuple(sorted(reader_id(reader) for reader in self.readers(policy, record.name)))
        versions = []
        for entry in record.versions:
            stale = entry.readers != wanted
            versions.append(self._resealed_entry(policy, record.name, entry) if stale else entry)
        return record._replace(versions=tuple(versions))

    def _resealed_entry(self, policy: Policy, name: str, entry: Entry) -> Entry:
        sealed = self._sealed(name, entry)
        if sealed is None:
            raise IntegrityError(f"the value of {name} is missing or changed")
        own, readers = self._seal(policy, name, self._session.identity().decrypt(sealed))
        return entry._replace(digest=own, readers=readers)

    def _retry_check(self, name: str, token: str, secret: Secret) -> str:
        return self._session.identity().mac("retry", f"{name}\0{token}\0".encode() + secret.reveal()).hex()[:32]

    def _seal(self, policy: Policy, name: str, secret: Secret) -> tuple[str, tuple[str, ...]]:
        readers = self.readers(policy, name)
        sealed = crypto.encrypt(secret, readers)
        own = digest(sealed)
        path = Path(layout.value_path(self._folder, name, own))
        make_private_folder(path.parent)
        write_atomic(path, sealed)
        return own, tuple(sorted(reader_id(reader) for reader in readers))

    def _sealed(self, name: str, entry: Entry) -> bytes | None:
        """Give the age file of ``entry``, or None where it is missing or not the one that was signed."""
        try:
            sealed = layout.read_file(layout.value_path(self._folder, name, entry.digest))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(name, error) from error
        return sealed if digest(sealed) == entry.digest else None
