"""Forgets a source: its repositories, what was found in them and what was to be done there."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from hygiene.errors import ConflictError, UsageError
from hygiene.fleet.inventory.counting import recount_exposures, slices
from hygiene.fleet.inventory.models import CLOSED, Branch, Finding, Repository, Rotation, Share, Source, Task
from hygiene.fleet.inventory.opening import write_alone

_PATHS = ("folder", "file")  # kinds whose location is a path


class Removed(NamedTuple):
    """What was forgotten."""

    source: str
    repositories: int
    mirrors: tuple[str, ...]  # where repositories that lie elsewhere were fetched to


def remove_source(session: Session, kind: str, location: str) -> Removed:
    """Forget the source of ``kind`` ("" for a path) at ``location``; what another source lists is found again by it.

    Exposures stay with their story, though no repository shows them. Raises :class:`UsageError` for a source that is
    not there, :class:`ConflictError` while a rotation waits for one of its repositories.
    """
    write_alone(session)
    kinds = (kind,) if kind else _PATHS
    source = session.scalar(select(Source).where(Source.kind.in_(kinds), Source.location == location))
    if source is None:
        raise UsageError(f"{location} is no source of this fleet", hint="hygiene fleet status lists them")
    rows = session.execute(select(Repository.id, Repository.path, Repository.url).where(_of(source))).all()
    _refuse_waiting(session, source)
    touched: set[int] = set()
    for some in slices([number for number, _, _ in rows]):
        touched |= set(session.scalars(select(Finding.exposure_id).where(Finding.repository_id.in_(some))))
        for table in (Finding, Share, Task, Branch):
            session.execute(delete(table).where(table.repository_id.in_(some)))
        session.execute(delete(Repository).where(Repository.id.in_(some)))
    told = f"{source.kind} {source.location}"
    session.delete(source)
    recount_exposures(session, touched)
    return Removed(told, len(rows), tuple(path for _, path, url in rows if url and path))


def _of(source: Source) -> ColumnElement[bool]:
    return Repository.source_id == source.id


def _refuse_waiting(session: Session, source: Source) -> None:
    query = (
        select(Repository.name)
        .join(Branch, Branch.repository_id == Repository.id)
        .join(Rotation, Rotation.id == Branch.rotation_id)
        .where(_of(source), Rotation.state != CLOSED)
    )
    name = session.scalar(query.order_by(Repository.id).limit(1))
    if name is not None:
        raise ConflictError(f"a rotation is under way in {name}", hint="hygiene fleet respond goes on with it")
