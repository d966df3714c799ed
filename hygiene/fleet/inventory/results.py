"""Writes what workers found: findings, exposures, counts and the tasks' states, in one transaction, exactly once.

What several tasks gave is written together: one query of each kind, however many repositories it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import delete, or_, select, tuple_
from sqlalchemy.orm import Session

from hygiene.finding import SEVERITIES
from hygiene.fleet.inventory.counting import recount_exposures, recount_repositories, slices
from hygiene.fleet.inventory.models import DONE, FAILED, OPEN, Exposure, Finding, Repository, Task
from hygiene.fleet.inventory.opening import write_alone
from hygiene.fleet.inventory.sources import owner_id
from hygiene.fleet.tasks import PART, Outcome, Row

ACCEPTED, GONE = -1, -2  # weights of findings that do not count
TaskKey = tuple[int, str, str, int]  # repository, digest, kind, part


def write_outcomes(session: Session, outcomes: Sequence[Outcome]) -> int:
    """Write ``outcomes``, but for those whose tasks are done already; says how many it wrote."""
    write_alone(session)
    tasks = _tasks(session, outcomes)
    new = [one for one in outcomes if (task := tasks.get(_key(one))) is not None and task.state != DONE]
    repositories = _repositories(session, {one.unit.repository for one in new})
    whole = []
    for outcome in new:
        task = tasks[_key(outcome)]
        task.attempts += 1
        task.finished = datetime.now(UTC)
        task.state, task.problem = (FAILED, outcome.problem) if outcome.problem else (DONE, "")
        if outcome.problem:
            repositories[outcome.unit.repository].problem = outcome.problem
        elif outcome.unit.kind == PART:
            task.result = _result(outcome)
        else:
            whole.append(outcome)
    if whole:
        _Writing(session, repositories).write(whole)
    return len(new)


def _key(outcome: Outcome) -> TaskKey:
    unit = outcome.unit
    return unit.repository, unit.digest, unit.kind, unit.part


def _tasks(session: Session, outcomes: Sequence[Outcome]) -> dict[TaskKey, Task]:
    columns = tuple_(Task.repository_id, Task.digest, Task.kind, Task.part)
    query = select(Task).where(columns.in_([_key(one) for one in outcomes])).with_for_update()
    return {(task.repository_id, task.digest, task.kind, task.part): task for task in session.scalars(query)}


def _repositories(session: Session, numbers: Collection[int]) -> dict[int, Repository]:
    return {row.id: row for row in session.scalars(select(Repository).where(Repository.id.in_(numbers)))}


def _result(outcome: Outcome) -> dict[str, object]:
    return {
        "ids": list(outcome.ids),
        "listing": outcome.listing,
        "stats": list(outcome.stats),
        "skipped": [list(skip) for skip in outcome.skipped],
    }


class _Writing:
    """What several repositories' outcomes need while they are written."""

    def __init__(self, session: Session, repositories: Mapping[int, Repository]) -> None:
        self._session = session
        self._repositories = repositories
        self._now = datetime.now(UTC)
        self._owners: dict[str, int | None] = {"": None}
        self._exposures: dict[str, Exposure] = {}
        self._known: dict[int, list[Finding]] = defaultdict(list)
        self._touched: set[int] = set()  # exposures whose counts may have changed

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Bring findings, exposures, owners and counts up to ``outcomes``, each of another whole repository."""
        self._read_exposures([row for outcome in outcomes for row in outcome.rows])
        numbers = [outcome.unit.repository for outcome in outcomes]
        for finding in self._session.scalars(select(Finding).where(Finding.repository_id.in_(numbers))):
            self._known[finding.repository_id].append(finding)
        for outcome in outcomes:
            self._write_one(self._repositories[outcome.unit.repository], outcome)
        self._forget_tasks(outcomes)
        self._session.flush()
        recount_exposures(self._session, self._touched)
        recount_repositories(self._session, numbers)

    def _read_exposures(self, rows: Sequence[Row]) -> None:
        found = self._exposures
        for names in slices(sorted({row.fingerprint for row in rows})):
            for one in self._session.scalars(select(Exposure).where(Exposure.fingerprint.in_(names))):
                found[one.fingerprint] = one
                one.last_seen = self._now
        for row in rows:
            weight = SEVERITIES.index(row.severity)
            if row.fingerprint in found:
                found[row.fingerprint].weight = max(weight, found[row.fingerprint].weight)
                continue
            found[row.fingerprint] = _exposure(row, weight, self._now)
            self._session.add(found[row.fingerprint])
        self._session.flush()

    def _write_one(self, repository: Repository, outcome: Outcome) -> None:
        if outcome.owner and repository.owner_id is None:
            repository.owner_id = self._owner(outcome.owner)
        self._write_findings(repository, outcome)
        incomplete = [f"{path}: {reason}".lstrip(": ") for path, reason, whole in outcome.skipped if whole]
        repository.problem = "; ".join(islice(incomplete, 3)) + (" …" if len(incomplete) > 3 else "")
        repository.tips, repository.scanned = outcome.unit.tips, outcome.unit.digest
        repository.scanned_at, repository.seconds = self._now, outcome.seconds
        repository.blobs, repository.bytes, repository.commits = outcome.stats

    def _write_findings(self, repository: Repository, outcome: Outcome) -> None:
        known = {(one.exposure_id, one.path, one.place): one for one in self._known[repository.id]}
        self._touched |= {one.exposure_id for one in known.values()}
        seen = set()
        for row, owner in zip(outcome.rows, outcome.owners or ("",) * len(outcome.rows), strict=True):
            exposure = self._exposures[row.fingerprint].id
            identity = exposure, row.path, row.place
            if identity in seen:
                continue
            seen.add(identity)
            finding = known.get(identity) or Finding(
                repository_id=repository.id, exposure_id=exposure, first_seen=self._now
            )
            _fill(finding, row, self._owner(owner) or repository.owner_id)
            self._session.add(finding)  # whole by now: a query, as for an owner, writes what was added before it
            self._touched.add(exposure)
        for identity, finding in known.items():
            if identity not in seen and finding.gone is None:
                finding.gone, finding.weight = self._now, GONE

    def _forget_tasks(self, outcomes: Sequence[Outcome]) -> None:
        """Drop the tasks of earlier states of the repositories, and the parts that are placed now."""
        numbers, digests = zip(*((one.unit.repository, one.unit.digest) for one in outcomes), strict=True)
        others = Task.repository_id.in_(numbers), or_(Task.digest.not_in(digests), Task.kind == PART)
        self._session.execute(delete(Task).where(*others).execution_options(synchronize_session=False))

    def _owner(self, name: str) -> int | None:
        if name not in self._owners:
            self._owners[name] = owner_id(self._session, name)
        return self._owners[name]


def _exposure(row: Row, weight: int, now: datetime) -> Exposure:
    return Exposure(
        fingerprint=row.fingerprint, rule=row.rule, description=row.description, weight=weight, length=row.length,
        state=OPEN, verification="unverified", repositories=0, places=0, first_seen=now, last_seen=now, closed=None,
    )  # fmt: skip


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
