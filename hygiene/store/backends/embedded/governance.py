"""Roles made cryptography: a new policy is signed, values are encrypted to exactly their readers, and what someone
who left could read is marked due for rotation.

The order makes a cut harmless: the policy first (with the digests of records whose writer leaves, so that these
stay valid), then record after record. Running it again finds what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from hygiene import crypto
from hygiene.config import Role
from hygiene.errors import AccessDeniedError, ConfigError, HygieneError, IdentityError
from hygiene.reference import check_name
from hygiene.store import access
from hygiene.store.backends.embedded import layout
from hygiene.store.backends.embedded.grants import find_request, write_decision
from hygiene.store.backends.embedded.policy import Policy, is_key, reader_id, write_policy
from hygiene.store.backends.embedded.record import KIND, Record
from hygiene.store.backends.embedded.recordstore import SIGNING, RecordStore
from hygiene.store.backends.embedded.session import Session
from hygiene.store.backends.embedded.signed import digest, parse_document, signer_of
from hygiene.store.backends.embedded.valuestore import ValueStore
from hygiene.store.protocol import CURRENT, PENDING, AccessChange

OWNERS = "owners"  # the role whose members own the store: they sign its policy and read everything


class _Wanted(NamedTuple):
    roles: tuple[Role, ...]
    owners: tuple[crypto.Member, ...]
    recovery: crypto.Member | None = None  # a new one


class Governance:
    """The roles of one store."""

    def __init__(self, session: Session, records: RecordStore, values: ValueStore) -> None:
        """Act as the user of ``session`` on its records and values."""
        self._session = session
        self._records = records
        self._values = values

    def plan(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell what :meth:`apply` would do."""
        policy = self._session.policy()
        if policy is None:
            return [AccessChange("create", self._session.uri, "the store is made at the first write")]
        wanted = _wanted(policy, roles)
        changed = policy._replace(roles=wanted.roles, owners=wanted.owners)
        return [*_policy_changes(policy, wanted), *self._value_changes(policy, changed)]

    def apply(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Sign the policy, then encrypt and mark record after record; gives what was done."""
        with self._session.exclusive() as former:
            policy = former
            wanted = _wanted(policy, roles)
            _check_owner_acts(self._session.identity().member, policy, wanted)
            changes = list(_policy_changes(policy, wanted))
            # Verified under the policy that holds, before it changes.
            records = list(self._records.each(policy))
            if changes:
                policy = self._sign(policy, wanted, records)
            for record, raw in records:
                changes += self._renew(policy, record, raw)
            return changes

    def renew_recovery(self, show: Callable[[str], None]) -> Sequence[AccessChange]:
        """Put a new recovery key, which ``show`` is told, in the old one's place; gives what was done."""
        with self._session.exclusive() as former:
            recovery, key = crypto.generate_identity()
            others = tuple(owner for owner in former.owners if owner != former.recovery)
            wanted = _Wanted(former.roles, (*others, recovery.member), recovery.member)
            _check_owner_acts(self._session.identity().member, former, wanted)
            changes = list(_policy_changes(former, wanted))
            records = list(self._records.each(former))
            show(key)  # before it counts: a cut in between loses a key that opens nothing
            policy = self._sign(former, wanted, records)
            for record, raw in records:
                changes += self._renew(policy, record, raw)
            return changes

    def check(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Verify each record and value that this identity can open, and tell what differs from ``roles``."""
        policy = self._session.policy()
        if policy is None:
            return []
        problems = []
        for name in layout.record_names(self._session.root):
            try:
                self._check_secret(policy, name)
            except HygieneError as error:
                problems.append(AccessChange("broken", name, error.message))
        if problems:
            return problems
        for _ in self._records.all(policy):  # finds records that were removed
            pass
        return self.plan(roles)

    def decide(self, id: str, *, approved: bool, reason: str, break_glass: bool) -> None:
        """Sign a decision about a request; an approval encrypts what it opens anew, to the one who asked as well."""
        root = self._session.root
        with self._session.exclusive() as policy:
            request = find_request(root, policy, id)
            identity = self._session.identity()
            covered = [
                (record, raw)
                for record, raw in self._records.each(policy)
                if any(access.covers(path, record.name) for path in request.paths)
            ]
            for record, _ in covered if approved else ():
                # Whoever opens a value to someone has to open it himself.
                self._session.require(policy, access.READING, record.name)
            write_decision(root, policy, identity, request, approved=approved, reason=reason, break_glass=break_glass)
            for record, raw in covered:
                for _ in self._renew(policy, record, raw):
                    pass

    def _check_secret(self, policy: Policy, name: str) -> None:
        record = self._records.find(check_name(name))
        if record is None or record.deleted is not None:
            return
        if policy.rule(self._session.identity().member, access.READING, name):
            self._values.get(name)

    def _sign(self, policy: Policy, wanted: _Wanted, records: Sequence[tuple[Record, bytes]]) -> Policy:
        """Write the next edition of the policy; gives the one that then holds."""
        after = policy._replace(roles=wanted.roles, owners=wanted.owners)
        vouched = {record.name: digest(raw) for record, raw in records if not _still_valid(after, record, raw)}
        identity = self._session.identity()
        write_policy(
            self._session.root,
            identity,
            policy,
            roles=wanted.roles,
            owners=wanted.owners,
            vouched=vouched,
            recovery=wanted.recovery,
        )
        return self._session.policy() or policy

    def _value_changes(self, policy: Policy, after: Policy) -> Iterator[AccessChange]:
        for record in self._records.all(policy):
            wanted = self._reader_ids(after, record)
            stale = [entry for entry in record.versions if set(entry.readers) != wanted]
            if stale:
                yield AccessChange("re-encrypt", record.name, f"{len(stale)} version(s)")
            if _lost(record, wanted):
                yield AccessChange("mark-due", record.name, "someone who could read it no longer may")

    def _renew(self, policy: Policy, record: Record, raw: bytes) -> Iterator[AccessChange]:
        wanted = self._reader_ids(policy, record)
        renewed = self._values.resealed(policy, record)
        if renewed != record:
            yield AccessChange("re-encrypt", record.name)
        if _lost(record, wanted):
            yield AccessChange("mark-due", record.name, "someone who could read it no longer may")
            now = datetime.now(UTC)
            renewed = renewed._replace(due=min(renewed.due, now) if renewed.due else now)
        if renewed != record or not _still_valid(policy, record, raw):
            self._records.commit(policy, renewed)

    def _reader_ids(self, policy: Policy, record: Record) -> set[str]:
        return {reader_id(reader) for reader in self._values.readers(policy, record.name)}


def _check_owner_acts(member: crypto.Member, policy: Policy, wanted: _Wanted) -> None:
    if not any(member.verify_key == owner.verify_key for owner in policy.owners):
        raise AccessDeniedError("only an owner of the store changes its policy", hint="ask one: hygiene access list")
    if not any(member.verify_key == owner.verify_key for owner in wanted.owners):
        # Whoever goes could not sign the records that have to be encrypted anew.
        raise ConfigError("an owner can't leave by their own hand", hint="let another owner apply the roles")


def _wanted(policy: Policy, roles: Sequence[Role]) -> _Wanted:
    others = []
    owners = policy.owners
    for role in roles:
        _check_role(role)
        if role.name == OWNERS:
            named = [crypto.parse_member(text) for text in role.members if is_key(text)]
            owners = tuple(dict.fromkeys((*named, policy.recovery)))
        else:
            others.append(role)
    if not any(owner != policy.recovery for owner in owners):
        raise ConfigError("roles.owners.members names no key", hint="a store needs an owner")
    if any(not owner.verify_key for owner in owners):
        raise ConfigError("an owner signs: write age1… sign=…, as hygiene access whoami shows it")
    return _Wanted(tuple(others), owners)


def _check_role(role: Role) -> None:
    for text in role.members:
        if is_key(text):
            try:
                crypto.parse_member(text)
            except IdentityError as error:
                raise ConfigError(f"roles.{role.name}.members: {error.message}", hint=error.hint) from error


def _policy_changes(policy: Policy, wanted: _Wanted) -> Iterator[AccessChange]:
    for owner in wanted.owners:
        if owner not in policy.owners:
            yield AccessChange("add-owner", str(owner))
    for owner in policy.owners:
        if owner not in wanted.owners:
            yield AccessChange("remove-owner", str(owner))
    before, after = {role.name: role for role in policy.roles}, {role.name: role for role in wanted.roles}
    for name in sorted(before.keys() | after.keys()):
        yield from _role_changes(name, before.get(name), after.get(name))


def _role_changes(name: str, before: Role | None, after: Role | None) -> Iterator[AccessChange]:
    if before == after:
        return
    old, new = before or Role(name, (), (), ()), after or Role(name, (), (), ())
    for member in new.members:
        if member not in old.members:
            kind = "" if is_key(member) else "no key, so nothing here is encrypted to it"
            yield AccessChange("add-member", f"{name}: {member}", kind)
    for member in old.members:
        if member not in new.members:
            yield AccessChange("remove-member", f"{name}: {member}", "what it could read is marked due")
    if (old.paths, old.may) != (new.paths, new.may) or (before is None) != (after is None):
        yield AccessChange("change-role", name, f"may {', '.join(new.may) or 'nothing'} on {', '.join(new.paths)}")


def _lost(record: Record, wanted: set[str]) -> bool:
    """Say whether someone could read the value in use, or the one to come, who is not in ``wanted``."""
    in_use = [entry for entry in record.versions if {CURRENT, PENDING} & set(entry.stages)]
    return any(set(entry.readers) - wanted for entry in in_use)


def _still_valid(policy: Policy, record: Record, raw: bytes) -> bool:
    signer = signer_of(parse_document(raw, record.name), KIND)
    verbs = access.DELETING if record.deleted else SIGNING
    return bool(policy.signer_rule(signer, verbs, record.name))
