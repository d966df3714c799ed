"""What reports show, page by page: each is found by an index, and the next begins behind the last row of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from hygiene.errors import UsageError
from hygiene.finding import SEVERITIES
from hygiene.fleet.inventory.models import OPEN, Exposure, Finding, Owner, Repository

_START = 8  # characters
_STATES = {-1: "accepted", -2: "gone"}


class Page(NamedTuple):
    """Some rows, as plain values, and where the next page begins."""

    rows: tuple[dict[str, Any], ...]
    next: str  # for ``after``; "" at the end


class Slice(NamedTuple):
    """Which page is wanted."""

    limit: int = 50
    after: str = ""


def exposures(session: Session, slice_: Slice, state: str = OPEN) -> Page:
    """List the exposures in ``state`` (a model's constant), the gravest and widest first."""
    keys = (Exposure.weight, Exposure.repositories, Exposure.id)
    rows, after = _page(session, select(Exposure, *keys).where(Exposure.state == state), keys, slice_)
    return Page(tuple(_exposure(row[0]) for row in rows), after)


def repositories(session: Session, slice_: Slice) -> Page:
    """List the repositories, those with the gravest findings first."""
    keys = (Repository.critical, Repository.high, Repository.medium, Repository.low, Repository.id)
    query = select(Repository, *keys, Owner.name.label("owner")).outerjoin(Owner, Owner.id == Repository.owner_id)
    rows, after = _page(session, query, keys, slice_)
    return Page(tuple(_repository(row[0], row[-1]) for row in rows), after)


def findings(session: Session, slice_: Slice, *, repository: int = 0, owner: int = 0, exposure: int = 0) -> Page:
    """List the findings of a repository, an owner or an exposure that count; of an exposure all, by their number."""
    query = (
        select(Finding, Finding.weight, Finding.id, Repository.name, Exposure, Owner.name)
        .join(Repository, Repository.id == Finding.repository_id)
        .join(Exposure, Exposure.id == Finding.exposure_id)
        .outerjoin(Owner, Owner.id == Finding.owner_id)
    )
    keys: tuple[InstrumentedAttribute[int], ...] = (Finding.weight, Finding.id)
    if exposure:
        query, keys = query.where(Finding.exposure_id == exposure), (Finding.id,)
    else:
        column = Finding.repository_id if repository else Finding.owner_id
        query = query.where(column == (repository or owner), Finding.weight >= 0)
    rows, after = _page(session, query, keys, slice_)
    return Page(tuple(_finding(row[0], row[3], row[4], row[5]) for row in rows), after)


def exposure_number(session: Session, start: str) -> int:
    """Give the number of the exposure whose fingerprint begins with ``start``; raises UsageError unless it is one."""
    if len(start) < _START:
        raise UsageError(f"a fingerprint is named by at least {_START} characters of it")
    query = select(Exposure.id).where(Exposure.fingerprint >= start, Exposure.fingerprint < start + "~").limit(2)
    found = list(session.scalars(query))
    if len(found) != 1:
        raise UsageError(f"{'several exposures begin' if found else 'no exposure begins'} with {start}")
    return int(found[0])


def number_of(session: Session, column: InstrumentedAttribute[str], name: str, what: str) -> int:
    """Give the number of the row whose ``column`` says ``name``; raises UsageError where there is none."""
    found = session.scalar(select(column.class_.id).where(column == name).order_by(column.class_.id).limit(1))
    if found is None:
        raise UsageError(f"there is no {what} {name} in the inventory")
    return int(found)


def _page(
    session: Session, query: Select[*tuple[Any, ...]], keys: Sequence[InstrumentedAttribute[int]], slice_: Slice
) -> tuple[list[Any], str]:
    if slice_.after:
        query = query.where(tuple_(*keys) < tuple_(*_values(slice_.after, keys)))
    rows = session.execute(query.order_by(*(key.desc() for key in keys)).limit(slice_.limit + 1)).all()
    if len(rows) <= slice_.limit:
        return list(rows), ""
    last = rows[slice_.limit - 1]
    return list(rows[: slice_.limit]), ".".join(str(getattr(last[0], key.key)) for key in keys)


def _values(after: str, keys: Sequence[ColumnElement[int] | InstrumentedAttribute[int]]) -> list[int]:
    parts = after.split(".")
    if len(parts) != len(keys) or not all(part.lstrip("-").isdigit() and len(part) < 19 for part in parts):
        raise UsageError("--after takes what the page before said")
    return [int(part) for part in parts]


def _exposure(row: Exposure) -> dict[str, Any]:
    return {
        "fingerprint": row.fingerprint,
        "rule": row.rule,
        "description": row.description,
        "severity": SEVERITIES[row.weight],
        "state": row.state,
        "verification": row.verification,
        "repositories": row.repositories,
        "places": row.places,
        "first_seen": row.first_seen.isoformat(),
        "closed": row.closed.isoformat() if row.closed else "",
    }


def _repository(row: Repository, owner: str | None) -> dict[str, Any]:
    return {
        "name": row.name,
        "owner": owner or "",
        "state": row.state,
        **{name: getattr(row, name) for name in reversed(SEVERITIES)},
        "scanned": row.scanned_at.isoformat() if row.scanned_at else "",
        "problem": row.problem,
    }


def _finding(row: Finding, repository: str, exposure: Exposure, owner: str | None) -> dict[str, Any]:
    return {
        "repository": repository,
        "path": row.path,
        "line": row.line_start,
        "rule": row.rule,
        "severity": SEVERITIES[exposure.weight],
        "confidence": row.confidence,
        "status": _STATES.get(row.weight, row.status),
        "owner": owner or "",
        "commit": row.commit,
        "author": row.author,
        "date": row.date,
        "fingerprint": exposure.fingerprint,
        "state": exposure.state,
        "verification": exposure.verification,
        "in_repositories": exposure.repositories,
    }
