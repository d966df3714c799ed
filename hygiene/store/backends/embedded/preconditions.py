"""What must hold of a record before a version of it is written or read."""

from __future__ import annotations

from datetime import datetime

from hygiene.errors import ConflictError, ForeignSecretError, NotFoundError
from hygiene.store.backends.embedded.record import Entry, Record
from hygiene.store.protocol import CURRENT, Expect


def check_owner(record: Record, owner: str) -> None:
    """Raise :class:`ForeignSecretError` for a record that someone other than ``owner`` keeps."""
    if not record.gone and record.owner != owner:
        raise ForeignSecretError(
            f"{record.name} belongs to {record.owner!r}, so it is left alone",
            hint=f"to take it over: hygiene secret put {record.name} --adopt",
        )


def check_expectation(name: str, record: Record | None, expect: str | Expect) -> None:
    """Raise :class:`ConflictError` where the record is not what the writer expects."""
    exists = record is not None and not record.gone
    if record is not None and exists and record.deleted is not None:
        raise deleted_error(name, record.deleted)
    if expect is Expect.ANYTHING:
        return
    if expect is Expect.ABSENT:
        if exists:
            raise ConflictError(f"{name} exists already; nothing was written")
        return
    current = record.entry(stage=CURRENT) if record else None
    if current is None or current.id != expect:
        raise ConflictError(f"the current version of {name} is not {expect}; nothing was written")


def check_stage(name: str, record: Record | None, stage: str) -> None:
    """Raise :class:`ConflictError` for a first version that would not be current."""
    if stage != CURRENT and (record is None or record.entry(stage=CURRENT) is None):
        raise ConflictError(f"{name} has no current version yet; a first version is always current")


def wanted_entry(name: str, record: Record, stage: str, version: str | None) -> Entry:
    """Give the version to read; raises :class:`NotFoundError`, also for a secret that was deleted."""
    if record.deleted is not None and not record.gone:
        deleted = deleted_error(name, record.deleted)
        raise NotFoundError(deleted.message, hint=deleted.hint)
    entry = record.entry(id=version) if version else record.entry(stage=stage)
    if entry is None:
        what = f"version {version}" if version else f"{stage} version"
        raise NotFoundError(f"{name} has no {what}", hint="hygiene secret history shows the versions")
    return entry


def deleted_error(name: str, moment: datetime) -> ConflictError:
    """Tell that a secret was deleted, and how it comes back."""
    return ConflictError(
        f"{name} was deleted at {moment:%Y-%m-%d %H:%M} UTC",
        hint="bring it back with: hygiene secret restore, or delete it for good with: hygiene secret delete --purge",
    )
