"""How things stand, as a whole and for each owner, and how they stood on each day before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hygiene.fleet.inventory.models import (
    CLOSED,
    GONE,
    OPEN,
    ROTATED,
    ExposureCount,
    Owner,
    Repository,
    Share,
    Snapshot,
)


class Standing(NamedTuple):
    """How many there are; exposures count where somebody still has to act, by severity."""

    repositories: int = 0
    exposures: int = 0
    places: int = 0
    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    rotated: int = 0
    closed: int = 0


def standing(session: Session) -> Standing:
    """Count the whole."""
    query = select(ExposureCount.state, ExposureCount.weight, func.sum(ExposureCount.exposures)).group_by(
        ExposureCount.state, ExposureCount.weight
    )
    counts = {(state, weight): int(number) for state, weight, number in session.execute(query)}
    counters = (Repository.critical, Repository.high, Repository.medium, Repository.low)
    places = session.execute(select(*(func.coalesce(func.sum(counter), 0) for counter in counters))).one()
    repositories = session.scalar(select(func.count()).where(Repository.state != GONE)) or 0
    weights = [sum(counts.get((state, weight), 0) for state in (OPEN, ROTATED)) for weight in (3, 2, 1, 0)]
    rotated, closed = (sum(n for (state, _), n in counts.items() if state == kind) for kind in (ROTATED, CLOSED))
    critical, high, medium, low = weights
    return Standing(
        repositories, sum(weights), int(sum(places)), critical, high, medium, low, rotated=rotated, closed=closed
    )


def standing_of_owners(session: Session) -> dict[str, Standing]:
    """Count for each owner: the places that are theirs, by severity, and the repositories that these are in."""
    sums = (func.sum(counter) for counter in (Share.critical, Share.high, Share.medium, Share.low))
    query = select(Owner.name, func.count(), *sums).join(Owner, Owner.id == Share.owner_id).group_by(Owner.name)
    return {
        name: Standing(repositories, 0, sum(map(int, counts)), *map(int, counts))
        for name, repositories, *counts in sorted(session.execute(query))  # here: databases sort as they are set up
    }


def take_snapshot(session: Session) -> None:
    """Note how things stand today, in place of what was noted earlier today."""
    day = datetime.now(UTC).date().isoformat()
    session.execute(delete(Snapshot).where(Snapshot.day == day))
    scopes = {"": standing(session), **standing_of_owners(session)}
    session.add_all(Snapshot(day=day, scope=scope, **found._asdict()) for scope, found in scopes.items())


def trend(session: Session, scope: str = "", *, days: int = 90) -> list[tuple[str, Standing]]:
    """Give the latest ``days`` on which something was noted, the oldest first."""
    query = select(Snapshot).where(Snapshot.scope == scope).order_by(Snapshot.day.desc()).limit(days)
    rows = [(row.day, Standing(*(getattr(row, name) for name in Standing._fields))) for row in session.scalars(query)]
    return rows[::-1]
