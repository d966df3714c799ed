"""Writes what a worker found: findings, exposures, counts and the task's state, in one transaction, exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from hygiene.finding import SEVERITIES
from hygiene.fleet.inventory.models import DONE, FAILED, OPEN, Exposure, Finding, Repository, Task
from hygiene.fleet.inventory.sources import owner_id
from hygiene.fleet.tasks import PART, Outcome, Row

Thing = TypeVar("Thing")
ACCEPTED, GONE = -1, -2  # weights of findings that do not count
_AT_ONCE = 500  # keys in one query


def finish(session: Session, outcome: Outcome) -> bool:
    """Write ``outcome`` unless its task is done already; says whether it did."""
    task = _task(session, outcome)
    if task is None or task.state == DONE:
        return False
    task.attempts += 1
    task.finished = datetime.now(UTC)
    task.state, task.problem = (FAILED, outcome.problem) if outcome.problem else (DONE, "")
    if outcome.problem:
        session.get_one(Repository, outcome.unit.repository).problem = outcome.problem
    elif outcome.unit.kind == PART:
        task.result = {
            "ids": list(outcome.ids),
            "listing": outcome.listing,
            "stats": list(outcome.stats),
            "skipped": [list(skip) for skip in outcome.skipped],
        }
    else:
        _write(session, outcome)
    return True


def _task(session: Session, outcome: Outcome) -> Task | None:
    unit = outcome.unit
    return session.scalar(
        select(Task)
        .where(
            Task.repository_id == unit.repository,
            Task.digest == unit.digest,
            Task.kind == unit.kind,
            Task.part == unit.part,
        )
        .with_for_update()
    )


def _write(session: Session, outcome: Outcome) -> None:
    repository = session.get_one(Repository, outcome.unit.repository)
    now = datetime.now(UTC)
    if outcome.owner and repository.owner_id is None:
        repository.owner_id = owner_id(session, outcome.owner)
    exposures = _exposures(session, outcome.rows, now)
    touched = _findings(session, repository, outcome, exposures, now)
    session.flush()
    recount_exposures(session, touched)
    recount_repository(session, repository)
    blobs, size, commits = outcome.stats
    incomplete = [f"{path}: {reason}".lstrip(": ") for path, reason, whole in outcome.skipped if whole]
    repository.problem = "; ".join(islice(incomplete, 3)) + (" …" if len(incomplete) > 3 else "")
    repository.tips, repository.scanned = outcome.unit.tips, outcome.unit.digest
    repository.scanned_at, repository.seconds = now, outcome.seconds
    repository.bytes, repository.blobs, repository.commits = size, blobs, commits
    others = Task.repository_id == repository.id, Task.digest != outcome.unit.digest
    session.execute(Task.__table__.delete().where(*others))  # type: ignore[attr-defined]


def _exposures(session: Session, rows: Sequence[Row], now: datetime) -> dict[str, Exposure]:
    found: dict[str, Exposure] = {}
    for names in _slices(sorted({row.fingerprint for row in rows})):
        for one in session.scalars(select(Exposure).where(Exposure.fingerprint.in_(names))):
            found[one.fingerprint] = one
            one.last_seen = now
    for row in rows:
        weight = SEVERITIES.index(row.severity)
        if row.fingerprint in found:
            found[row.fingerprint].weight = max(weight, found[row.fingerprint].weight)
            continue
        found[row.fingerprint] = exposure = Exposure(
            fingerprint=row.fingerprint, rule=row.rule, description=row.description, weight=weight, length=row.length,
            state=OPEN, verification="unverified", repositories=0, places=0, first_seen=now, last_seen=now, closed=None,
        )  # fmt: skip
        session.add(exposure)
    session.flush()
    return found


def _findings(
    session: Session, repository: Repository, outcome: Outcome, exposures: Mapping[str, Exposure], now: datetime
) -> set[int]:
    """Bring the repository's findings up to the outcome's rows; gives the exposures whose counts may have changed."""
    query = select(Finding).where(Finding.repository_id == repository.id)
    known = {(one.exposure_id, one.path, one.place): one for one in session.scalars(query)}
    touched = {one.exposure_id for one in known.values()}
    owners: dict[str, int | None] = {}
    seen = set()
    for index, row in enumerate(outcome.rows):
        exposure = exposures[row.fingerprint].id
        identity = exposure, row.path, row.place
        if identity in seen:
            continue
        seen.add(identity)
        name = outcome.owners[index] if index < len(outcome.owners) else ""
        if name not in owners:
            owners[name] = owner_id(session, name)
        finding = known.get(identity)
        if finding is None:
            finding = Finding(repository_id=repository.id, exposure_id=exposure, first_seen=now)
            session.add(finding)
            touched.add(exposure)
        _fill(finding, row, owners[name] or repository.owner_id)
    for identity, finding in known.items():
        if identity not in seen and finding.gone is None:
            finding.gone, finding.weight = now, GONE
    return touched


def _fill(finding: Finding, row: Row, owner: int | None) -> None:
    weight = SEVERITIES.index(row.severity) if row.status == "new" else ACCEPTED
    finding.weight, finding.gone, finding.owner_id = weight, None, owner
    finding.commits = " ".join(row.commits)
    for name in (
        "path", "place", "rule", "confidence", "status", "line_start", "line_end", "column_start", "column_end",
        "blob", "commit", "last_commit", "author", "email", "date",
    ):  # fmt: skip
        if getattr(finding, name) != getattr(row, name):
            setattr(finding, name, getattr(row, name))


def recount_exposures(session: Session, ids: Iterable[int]) -> None:
    """Count again the places and repositories of the exposures ``ids``; one that comes back is open again."""
    for some in _slices(sorted(ids)):
        query = (
            select(Finding.exposure_id, func.count(), func.count(Finding.repository_id.distinct()))
            .where(Finding.exposure_id.in_(some), Finding.weight >= 0)
            .group_by(Finding.exposure_id)
        )
        counts = {exposure: (places, repositories) for exposure, places, repositories in session.execute(query)}
        session.execute(
            update(Exposure),
            [
                {"id": number, "places": counts.get(number, (0, 0))[0], "repositories": counts.get(number, (0, 0))[1]}
                for number in some
            ],
        )


def recount_repository(session: Session, repository: Repository) -> None:
    """Count the repository's findings that matter, by severity."""
    columns = [_count(Finding.weight == weight) for weight in range(len(SEVERITIES))]
    counts = session.execute(select(*columns).where(Finding.repository_id == repository.id, Finding.weight >= 0)).one()
    repository.low, repository.medium, repository.high, repository.critical = (int(count or 0) for count in counts)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _slices(things: Sequence[Thing]) -> Iterable[Sequence[Thing]]:
    return (things[start : start + _AT_ONCE] for start in range(0, len(things), _AT_ONCE))
