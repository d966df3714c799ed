"""The signed records below a store's root: verified by policy, signature and memory, committed under the lock."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence

from hygiene.errors import IntegrityError, NotFoundError
from hygiene.fileio import sweep_temporary, write_atomic, write_error
from hygiene.reference import check_name
from hygiene.store import access
from hygiene.store.backends.embedded import layout
from hygiene.store.backends.embedded.memory import Seen
from hygiene.store.backends.embedded.policy import Policy
from hygiene.store.backends.embedded.record import KIND, Record, format_record, parse_record
from hygiene.store.backends.embedded.session import Session
from hygiene.store.backends.embedded.signed import digest, parse_document, sign_document, signer_of

SIGNING = access.WRITING | {"grant"}


class RecordStore:
    """The records that a session sees."""

    def __init__(self, session: Session) -> None:
        """Read and write as the user of ``session``."""
        self._session = session
        self._memory = session.memory
        self._folder = str(session.root)

    def find(self, name: str) -> Record | None:
        """Give the record of ``name``, or None where there is none, or it was deleted for good."""
        policy = self._session.policy()
        record = self.load(check_name(name), policy) if policy else None
        return None if record is None or record.gone else record

    def all(self, policy: Policy, prefix: str = "") -> Iterator[Record]:
        """Give every record, verified, tombstones included, in the order of names."""
        for record, _ in self.each(policy, prefix):
            yield record

    def each(self, policy: Policy, prefix: str = "") -> Iterator[tuple[Record, bytes]]:
        """Give every record with its bytes, verified, tombstones included, in the order of names."""
        seen = self._memory.records(policy.store)
        names = layout.record_names(self._session.root, prefix)
        missing = sorted(name for name in seen.keys() - set(names) if name.startswith(prefix))
        if missing:
            raise _gone_error(missing[0])
        news: MutableSequence[tuple[str, Seen]] = []
        for name in names:
            raw = self.read(policy, name)
            yield self.verified(name, raw, policy, seen.get(name), remember=news), raw
        self._memory.remember(policy.store, news)

    def load(self, name: str, policy: Policy) -> Record | None:
        """Give the record of ``name``, verified, or None where there never was one."""
        layout.check_no_link(self._folder, name)
        seen = self._memory.record(policy.store, name)
        try:
            raw = layout.read_file(layout.record_path(self._folder, name))
        except (FileNotFoundError, NotADirectoryError):
            if seen is not None:
                raise _gone_error(name) from None
            return None
        except OSError as error:
            raise unreadable(name, error) from error
        return self.verified(name, raw, policy, seen)

    def read(self, policy: Policy, name: str) -> bytes:
        """Give the bytes of the record of ``name``, not verified yet; raises :class:`NotFoundError`."""
        layout.check_no_link(self._folder, name)
        try:
            return layout.read_file(layout.record_path(self._folder, name))
        except (FileNotFoundError, NotADirectoryError):
            if self._memory.record(policy.store, name) is not None:
                raise _gone_error(name) from None
            raise NotFoundError(
                f"no secret {name} in {self._session.uri}", hint="hygiene secret list shows what is there"
            ) from None
        except OSError as error:
            raise unreadable(name, error) from error

    def verified(
        self,
        name: str,
        raw: bytes,
        policy: Policy,
        seen: Seen | None,
        remember: MutableSequence[tuple[str, Seen]] | None = None,
    ) -> Record:
        """Parse and verify the bytes of a record against the state ``seen`` before, and remember it as seen.

        Where ``remember`` is given, what is new is added there, to be remembered at once for many records.
        """
        document = parse_document(raw, f"the record of {name}")
        record = parse_record(document, f"the record of {name}")
        if record.name != name or record.store != policy.store:
            raise IntegrityError(f"the record of {name} is that of another secret: {record.name} was put in its place")
        own = digest(raw)
        if seen is not None and seen.digest == own:
            return record
        _check_newer(record, seen)
        self.check_signer(document, record, policy, own)
        news = (name, Seen(record.serial, own))
        if remember is None:
            self._memory.remember(policy.store, [news])
        else:
            remember.append(news)
        return record

    def check_signer(self, document: dict[str, object], record: Record, policy: Policy, own: str) -> None:
        """Raise :class:`IntegrityError` unless someone signed ``document`` (of digest ``own``) who may write it."""
        signer = signer_of(document, KIND)
        if not signer:
            raise IntegrityError(
                f"the record of {record.name} was changed after it was signed",
                hint="restore it from git or a backup",
            )
        verbs = access.DELETING if record.deleted else SIGNING
        # The policy may have changed since it was read, by whoever then wrote the record.
        policy = self._session.policy() or policy
        if policy.vouched.get(record.name) != own and not policy.signer_rule(signer, verbs, record.name):
            raise IntegrityError(
                f"the record of {record.name} was written by someone whose roles don't allow it",
                hint="restore it from git or a backup, and look who changed it",
            )

    def commit(self, policy: Policy, record: Record) -> None:
        """Sign the next state of ``record`` and put it in place; the lock must be held."""
        record = record._replace(serial=record.serial + 1)
        raw = sign_document(self._session.identity(), KIND, format_record(record))
        folder = layout.record_folder(self._session.root, record.name)
        write_atomic(folder / layout.RECORD, raw)
        self._memory.remember(policy.store, [(record.name, Seen(record.serial, digest(raw)))])
        try:
            sweep_temporary(folder)
            for leftover in layout.unnamed_values(folder, {entry.digest for entry in record.versions}):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(folder, error) from error


def unreadable(name: str, error: OSError) -> IntegrityError:
    """Tell that the operating system does not let a record or its value be read."""
    return IntegrityError(f"the record of {name} can't be read: {error.strerror}")


def _check_newer(record: Record, seen: Seen | None) -> None:
    if seen is not None and record.serial <= seen.serial:
        raise IntegrityError(
            f"the record of {record.name} is older than one seen before (change {record.serial}, not {seen.serial})",
            hint="if you went back on purpose: hygiene access check --accept",
        )


def _gone_error(name: str) -> IntegrityError:
    return IntegrityError(
        f"the record of {name} was removed by other means than hygiene",
        hint="restore it from git or a backup; if that is meant: hygiene access check --accept",
    )
