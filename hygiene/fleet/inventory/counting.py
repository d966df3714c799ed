"""Counts that are kept beside what they count, so that a page of a report reads few rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, case, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from hygiene.finding import SEVERITIES
from hygiene.fleet.inventory.models import BLOCK, Exposure, ExposureCount, Finding, Repository, Share

Thing = TypeVar("Thing")
_AT_ONCE = 500  # keys in one query
_RANGES = 100  # ranges of keys in one query


def recount_exposures(session: Session, numbers: Collection[int]) -> None:
    """Count again the places and repositories of the exposures ``numbers``."""
    for some in slices(sorted(numbers)):
        query = (
            select(Finding.exposure_id, func.count(), func.count(Finding.repository_id.distinct()))
            .where(Finding.exposure_id.in_(some), Finding.weight >= 0)
            .group_by(Finding.exposure_id)
        )
        counts = {exposure: (places, repositories) for exposure, places, repositories in session.execute(query)}
        rows = [(number, *counts.get(number, (0, 0))) for number in some]
        session.execute(
            update(Exposure),
            [{"id": number, "places": places, "repositories": where} for number, places, where in rows],
        )
    recount_states(session, numbers)


def recount_states(session: Session, numbers: Collection[int]) -> None:
    """Count again, by state and severity, the blocks of the exposures ``numbers``; needs ``write_alone``."""
    session.flush()
    for some in slices(sorted({number // BLOCK for number in numbers}), _RANGES):
        session.execute(delete(ExposureCount).where(ExposureCount.block.in_(some)))
        block = (Exposure.id // BLOCK).label("block")
        query = (
            select(block, Exposure.state, Exposure.weight, func.count())
            .where(or_(*(Exposure.id.between(one * BLOCK, (one + 1) * BLOCK - 1) for one in some)))
            .where(Exposure.repositories > 0)
            .group_by("block", Exposure.state, Exposure.weight)
        )
        columns = ExposureCount.block, ExposureCount.state, ExposureCount.weight, ExposureCount.exposures
        session.execute(insert(ExposureCount).from_select(columns, query))


def recount_repositories(session: Session, numbers: Collection[int]) -> None:
    """Count again, by severity, the findings that matter in the repositories ``numbers``: all, and each owner's."""
    for some in slices(sorted(numbers)):
        session.execute(delete(Share).where(Share.repository_id.in_(some)))
        columns = Share.repository_id, Share.owner_id, *(getattr(Share, name) for name in SEVERITIES)
        session.execute(insert(Share).from_select(columns, shares_of(Finding.repository_id.in_(some))))
        sums = (func.sum(getattr(Share, name)) for name in SEVERITIES)
        query = select(Share.repository_id, *sums).where(Share.repository_id.in_(some)).group_by(Share.repository_id)
        counts = {number: tuple(map(int, found)) for number, *found in session.execute(query)}
        nothing = (0,) * len(SEVERITIES)
        session.execute(
            update(Repository),
            [{"id": number, **dict(zip(SEVERITIES, counts.get(number, nothing), strict=True))} for number in some],
        )


def shares_of(condition: ColumnElement[bool]) -> Any:
    """Select how many findings each owner has in each repository, by severity, of those that fulfil ``condition``."""
    counts = (func.sum(case((Finding.weight == weight, 1), else_=0)) for weight in range(len(SEVERITIES)))
    return (
        select(Finding.repository_id, Finding.owner_id, *counts)
        .where(condition, Finding.weight >= 0)
        .group_by(Finding.repository_id, Finding.owner_id)
    )


def slices(things: Sequence[Thing], size: int = _AT_ONCE) -> Iterable[Sequence[Thing]]:
    """Cut ``things`` into pieces that a query takes."""
    return (things[start : start + size] for start in range(0, len(things), size))
