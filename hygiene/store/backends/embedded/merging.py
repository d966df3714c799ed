"""Three states of one record merged, as git hands them to a merge driver."""

from __future__ import annotations

from hygiene.errors import IntegrityError, NotFoundError
from hygiene.store import access
from hygiene.store.backends.embedded.policy import Policy
from hygiene.store.backends.embedded.record import KIND, Record, format_record, merged, parse_record
from hygiene.store.backends.embedded.recordstore import RecordStore
from hygiene.store.backends.embedded.session import Session
from hygiene.store.backends.embedded.signed import digest, parse_document, sign_document

_SIDE, _ANCESTOR = "a side of the merge", "the ancestor"


def merge_records(session: Session, records: RecordStore, base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """Merge three states of one record; gives the signed result.

    Raises :class:`IntegrityError` for a side that its signer had no right to write.
    """
    policy = session.policy()
    if policy is None:
        raise NotFoundError(f"there is no store at {session.root}")
    mine, other = (_side(records, policy, raw) for raw in (ours, theirs))
    if mine.name != other.name:
        raise IntegrityError("the sides of the merge are records of different secrets")
    # Without a common ancestor (both made it) the sides are merged as changes of nothing.
    ancestor = parse_record(parse_document(base, _ANCESTOR), _ANCESTOR) if base.strip() else None
    result = merged(ancestor or mine._replace(versions=(), serial=0), mine, other)
    if result in (mine, other):
        return ours if result == mine else theirs
    session.require(policy, access.WRITING, mine.name)
    return sign_document(session.identity(), KIND, format_record(result))


def _side(records: RecordStore, policy: Policy, raw: bytes) -> Record:
    document = parse_document(raw, _SIDE)
    record = parse_record(document, _SIDE)
    if record.store != policy.store:
        raise IntegrityError("a side of the merge is the record of another store")
    records.check_signer(document, record, policy, digest(raw))
    return record
