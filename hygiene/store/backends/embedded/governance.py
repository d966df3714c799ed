"""Roles made cryptography: a new policy is signed, values are encrypted to exactly their readers, and what someone
who left could read is marked due for rotation.

The order makes a cut harmless: the policy first (with the digests of records whose writer leaves, so that these
stay valid), then record after record. Running it again finds what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from hygiene import crypto
from hygiene.config import Role
from hygiene.errors import AccessDeniedError, ConfigError, HygieneError, IdentityError
from hygiene.store import access
from hygiene.store.backends.embedded import layout
from hygiene.store.backends.embedded.grants import Decision, Request, find_request, write_decision
from hygiene.store.backends.embedded.policy import Policy, is_key, reader_id, write_policy
from hygiene.store.backends.embedded.record import KIND, Record
from hygiene.store.backends.embedded.signed import digest, parse_document, signer_of
from hygiene.store.protocol import CURRENT, PENDING, AccessChange

if TYPE_CHECKING:
    from hygiene.store.backends.embedded.store import EmbeddedStore

OWNERS = "owners"  # the role whose members own the store: they sign its policy and read everything
_SIGNING = access.WRITING | {"grant"}


class _Wanted(NamedTuple):
    roles: tuple[Role, ...]
    owners: tuple[crypto.Member, ...]


def plan(store: EmbeddedStore, roles: Sequence[Role]) -> Sequence[AccessChange]:
    """Tell what :func:`apply` would do."""
    policy = store.policy()
    if policy is None:
        return [AccessChange("create", store.uri, "the store is made at the first write")]
    wanted = _wanted(policy, roles)
    changed = policy._replace(roles=wanted.roles, owners=wanted.owners)
    return [*_policy_changes(policy, wanted), *_value_changes(store, policy, changed)]


def apply(store: EmbeddedStore, roles: Sequence[Role]) -> Sequence[AccessChange]:
    """Sign the policy, then encrypt and mark record after record; gives what was done."""
    with store.exclusive() as former:
        policy = former
        wanted = _wanted(policy, roles)
        if not any(store.identity().member.verify_key == owner.verify_key for owner in policy.owners):
            raise AccessDeniedError(
                "only an owner of the store changes its policy", hint="ask one: hygiene access list"
            )
        if not any(store.identity().member.verify_key == owner.verify_key for owner in wanted.owners):
            # Whoever goes could not sign the records that have to be encrypted anew.
            raise ConfigError("an owner can't leave by their own hand", hint="let another owner apply the roles")
        changes = list(_policy_changes(policy, wanted))
        # Verified under the policy that holds, before it changes.
        records = list(store.each(policy))
        if changes:
            after = policy._replace(roles=wanted.roles, owners=wanted.owners)
            vouched = {record.name: digest(raw) for record, raw in records if not _still_valid(after, record, raw)}
            write_policy(
                store.root, store.identity(), policy, roles=wanted.roles, owners=wanted.owners, vouched=vouched
            )
            policy = store.policy() or policy
        for record, raw in records:
            changes += _renew(store, policy, record, raw)
        return changes


def decide(
    store: EmbeddedStore, id: str, *, approved: bool, reason: str, break_glass: bool
) -> tuple[Request, Decision]:
    """Sign a decision about a request; an approval encrypts what it opens anew, to the one who asked as well."""
    with store.exclusive() as policy:
        request = find_request(store.root, policy, id)
        decision = write_decision(
            store.root, policy, store.identity(), request, approved=approved, reason=reason, break_glass=break_glass
        )
        for record, raw in list(store.each(policy)):
            if any(access.covers(path, record.name) for path in request.paths):
                for _ in _renew(store, policy, record, raw):
                    pass
        return request, decision


def check(store: EmbeddedStore, roles: Sequence[Role]) -> Sequence[AccessChange]:
    """Verify each record and value that this identity can open, and tell what differs from ``roles``."""
    policy = store.policy()
    if policy is None:
        return []
    problems = []
    for name in layout.record_names(store.root):
        try:
            told = store.describe(name)
            if told is not None and told.deleted is None and policy.rule(store.identity().member, access.READING, name):
                store.get(name)
        except HygieneError as error:
            problems.append(AccessChange("broken", name, error.message))
    if problems:
        return problems
    for _ in store.records(policy):  # finds records that were removed
        pass
    return plan(store, roles)


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


def _value_changes(store: EmbeddedStore, policy: Policy, after: Policy) -> Iterator[AccessChange]:
    for record in store.records(policy):
        wanted = {reader_id(reader) for reader in store.readers(after, record.name)}
        stale = [entry for entry in record.versions if set(entry.readers) != wanted]
        if stale:
            yield AccessChange("re-encrypt", record.name, f"{len(stale)} version(s)")
        if _lost(record, wanted):
            yield AccessChange("mark-due", record.name, "someone who could read it no longer may")


def _renew(store: EmbeddedStore, policy: Policy, record: Record, raw: bytes) -> Iterator[AccessChange]:
    wanted = {reader_id(reader) for reader in store.readers(policy, record.name)}
    renewed = store.resealed(policy, record)
    if renewed != record:
        yield AccessChange("re-encrypt", record.name)
    if _lost(record, wanted):
        yield AccessChange("mark-due", record.name, "someone who could read it no longer may")
        now = datetime.now(UTC)
        renewed = renewed._replace(due=min(renewed.due, now) if renewed.due else now)
    if renewed != record or not _still_valid(policy, record, raw):
        store.commit(policy, renewed)


def _lost(record: Record, wanted: set[str]) -> bool:
    """Say whether someone could read the value in use, or the one to come, who is not in ``wanted``."""
    in_use = [entry for entry in record.versions if {CURRENT, PENDING} & set(entry.stages)]
    return any(set(entry.readers) - wanted for entry in in_use)


def _still_valid(policy: Policy, record: Record, raw: bytes) -> bool:
    signer = signer_of(parse_document(raw, record.name), KIND)
    verbs = frozenset({"delete"}) if record.deleted else _SIGNING
    return bool(policy.signer_rule(signer, verbs, record.name))
