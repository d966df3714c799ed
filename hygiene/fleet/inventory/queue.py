"""The tasks of the inventory: what is to be done, what a run that was cut short has left, and the runs themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hygiene.fleet.inventory.models import ACTIVE, ARCHIVED, DONE, QUEUED, Repository, Run, Source, Task
from hygiene.fleet.survey import Known, Standing
from hygiene.fleet.tasks import PART, PLACE, Unit

RUNNING, INTERRUPTED = "running", "interrupted"


def to_survey(session: Session, names: Sequence[str] = (), numbers: Collection[int] | None = None) -> list[Known]:
    """Give the repositories to look at: all that are alive, or those called ``names``, or those with ``numbers``."""
    query = select(Repository).join(Source).order_by(Repository.id)
    query = query.where((Repository.state == ACTIVE) | ((Repository.state == ARCHIVED) & Source.archived))
    if names:
        query = query.where(Repository.name.in_(names))
    return [
        Known(row.id, row.key, row.name, row.url, row.path, row.scanned, row.tips, row.problem)
        for row in session.scalars(query)
        if numbers is None or row.id in numbers
    ]


def enqueue(session: Session, planned: Sequence[tuple[Standing, Sequence[Unit]]]) -> list[list[Unit]]:
    """Write the tasks of repositories, and give, of each, those that are not done.

    Where a run was cut short, its parts hold: they were cut for the same digest.
    """
    numbers = [standing.known.id for standing, _ in planned]
    repositories = {row.id: row for row in session.scalars(select(Repository).where(Repository.id.in_(numbers)))}
    tasks: dict[tuple[int, str], list[Task]] = defaultdict(list)
    for task in session.scalars(select(Task).where(Task.repository_id.in_(numbers))):
        tasks[task.repository_id, task.digest].append(task)
    left = []
    for standing, units in planned:
        repositories[standing.known.id].path = standing.path
        left.append(_enqueue(session, tasks[standing.known.id, standing.digest], units))
    return left


def _enqueue(session: Session, tasks: Sequence[Task], units: Sequence[Unit]) -> list[Unit]:
    known = {(task.kind, task.part): task for task in tasks}
    old = [task for task in known.values() if task.kind == units[0].kind]
    if old and old[0].parts != units[0].parts:
        units = [units[0]._replace(part=part, parts=old[0].parts) for part in range(old[0].parts)]
    for unit in units:
        if (unit.kind, unit.part) not in known:
            session.add(_task(unit))
    for task in known.values():
        if task.state != DONE or task.kind != PART:
            task.state = QUEUED
    return [unit for unit in units if (unit.kind, unit.part) not in known or known[unit.kind, unit.part].state != DONE]


def placing_unit(session: Session, unit: Unit) -> Unit | None:
    """Give the unit that places what the parts of ``unit``'s repository matched, once all are done.

    Where they did not see the same objects (the repository was repacked or pushed to meanwhile), all are queued
    again and None is given.
    """
    query = select(Task).where(Task.repository_id == unit.repository, Task.digest == unit.digest, Task.kind == PART)
    parts = list(session.scalars(query))
    results = [part.result for part in parts]
    if len({result["listing"] for result in results}) != 1:
        for part in parts:
            part.state = QUEUED
        return None
    place = unit._replace(
        kind=PLACE,
        part=0,
        parts=1,
        ids=tuple(dict.fromkeys(name for result in results for name in result["ids"])),
        stats=tuple(sum(result["stats"][index] for result in results) for index in range(3)),
        skipped=tuple(dict.fromkeys(tuple(skip) for result in results for skip in result["skipped"])),
    )
    task = session.scalar(
        select(Task).where(Task.repository_id == unit.repository, Task.digest == unit.digest, Task.kind == PLACE)
    )
    if task is None:
        session.add(_task(place))
    else:
        task.state = QUEUED
    return place


def begin_run(session: Session, engine: str, repositories: int) -> int:
    """Note that a run begins; one that was never ended was interrupted."""
    for run in session.scalars(select(Run).where(Run.state == RUNNING)):
        run.state = INTERRUPTED
    run = Run(
        started=datetime.now(UTC), finished=None, state=RUNNING, engine=engine, repositories=repositories,
        changed=0, failed=0, bytes=0,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run.id


def end_run(session: Session, number: int, *, state: str, changed: int, failed: int, size: int) -> None:
    """Note how a run ended."""
    run = session.get_one(Run, number)
    run.state, run.finished = state, datetime.now(UTC)
    run.changed, run.failed, run.bytes = changed, failed, size


def note_problem(session: Session, repository: int, problem: str) -> None:
    """Note why a repository was not scanned."""
    session.get_one(Repository, repository).problem = problem


def _task(unit: Unit) -> Task:
    return Task(
        repository_id=unit.repository, digest=unit.digest, kind=unit.kind, part=unit.part, parts=unit.parts,
        bytes=unit.bytes, state=QUEUED, attempts=0, problem="", result={}, finished=None,
    )  # fmt: skip
