"""What is listed, scanned and left to do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hygiene.fleet.inventory.models import DONE, QUEUED, Event, Repository, Run, Source, Task

_PROBLEMS = 200


def status(session: Session) -> dict[str, Any]:
    """Say what is listed, scanned and left to do, as plain JSON."""
    counts = dict(session.execute(select(Repository.source_id, func.count()).group_by(Repository.source_id)).all())
    states = session.execute(
        select(Repository.state, func.count()).group_by(Repository.state).order_by(Repository.state)
    )
    unscanned = session.scalar(select(func.count()).where(Repository.scanned == "")) or 0
    tasks = session.execute(select(Task.state, func.count()).where(Task.state != DONE).group_by(Task.state))
    run = session.scalar(select(Run).order_by(Run.id.desc()).limit(1))
    problems = select(Repository).where(Repository.problem != "").order_by(Repository.id).limit(_PROBLEMS)
    return {
        "sources": [
            {
                "kind": source.kind,
                "location": source.location,
                "team": source.team,
                "listed": source.listed.isoformat() if source.listed else "",
                "repositories": counts.get(source.id, 0),
                "problem": source.problem,
            }
            for source in session.scalars(select(Source).order_by(Source.id))
        ],
        "repositories": {**dict(states.all()), "never scanned": unscanned},
        "run": run and _run(run),
        "tasks": dict(tasks.all()),
        "events": session.scalar(select(func.count()).where(Event.state == QUEUED)) or 0,
        "problems": [{"name": row.name, "problem": row.problem} for row in session.scalars(problems)],
    }


def not_whole(session: Session, numbers: Collection[int]) -> list[tuple[str, str]]:
    """Give the repositories among ``numbers`` that were not scanned, or not whole, by name, and why."""
    query = select(Repository.id, Repository.name, Repository.problem).where(Repository.problem != "")
    return sorted((name, problem) for number, name, problem in session.execute(query) if number in numbers)


def _run(run: Run) -> dict[str, Any]:
    return {
        "state": run.state,
        "engine": run.engine,
        "started": run.started.isoformat(),
        "finished": run.finished.isoformat() if run.finished else "",
        "repositories": run.repositories,
        "changed": run.changed,
        "failed": run.failed,
        "bytes": run.bytes,
    }
