"""What is done about an exposure: its rotation, a branch a repository, and when it may be called closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from hygiene.finding import SEVERITIES
from hygiene.fleet.inventory.counting import recount_states
from hygiene.fleet.inventory.models import CLOSED, GONE, OPEN, ROTATED, Branch, Exposure, Finding, Repository, Rotation
from hygiene.fleet.inventory.opening import write_alone

PREPARED, BY_HAND, CLEAN, FAILED = "prepared", "by hand", "clean", "failed"  # states of a branch


class Affected(NamedTuple):
    """A repository that an exposure stands in, and what was done there."""

    id: int
    name: str
    path: str
    url: str
    blob: str  # one that holds the value
    state: str = ""
    problem: str = ""


class Case(NamedTuple):
    """An exposure, and how far its end is."""

    exposure: int
    fingerprint: str
    rule: str
    severity: str
    state: str
    name: str  # in the store
    reference: str
    version: str  # that the branches refer to, and that is to be replaced
    affected: tuple[Affected, ...]


def cases(session: Session, numbers: Sequence[int] | None, *, everything: bool = False) -> list[int]:
    """Give the exposures to be worked on: ``numbers``, all that somebody has to act on, or those begun."""
    if numbers:
        return list(numbers)
    query = select(Exposure.id).where(Exposure.state.in_((OPEN, ROTATED)), Exposure.repositories > 0)
    if not everything:
        query = query.join(Rotation, Rotation.exposure_id == Exposure.id)
    return list(session.scalars(query.order_by(Exposure.weight.desc(), Exposure.id)))


def open_case(session: Session, exposure: int, *, begin: bool) -> Case:
    """Give how an exposure stands; with ``begin`` its rotation is on record from here on."""
    row = session.get_one(Exposure, exposure)
    rotation = session.scalar(select(Rotation).where(Rotation.exposure_id == exposure))
    name = f"fleet/{row.rule}-{row.fingerprint.partition(':')[2][:12]}"
    if rotation is None and begin:
        rotation = Rotation(
            exposure_id=exposure, name=name, reference="", version="", state=PREPARED, started=datetime.now(UTC),
            rotated=None, closed=None, evidence="",
        )  # fmt: skip
        session.add(rotation)
        session.flush()
    return Case(
        exposure,
        row.fingerprint,
        row.rule,
        SEVERITIES[row.weight],
        row.state,
        rotation.name if rotation else name,
        rotation.reference if rotation else "",
        rotation.version if rotation else "",
        _affected(session, exposure, rotation.id if rotation else 0),
    )


def _affected(session: Session, exposure: int, rotation: int) -> tuple[Affected, ...]:
    branches = {row.repository_id: row for row in session.scalars(select(Branch).where(Branch.rotation_id == rotation))}
    query = (
        select(Repository, Finding.blob)
        .join(Finding, Finding.repository_id == Repository.id)
        .where(Finding.exposure_id == exposure, Finding.weight >= 0, Repository.state != GONE)
        .order_by(Repository.id, Finding.id)
    )
    found: dict[int, Affected] = {}
    for repository, blob in session.execute(query):
        branch = branches.get(repository.id)
        facts = (branch.state, branch.problem) if branch else ("", "")
        found.setdefault(
            repository.id, Affected(repository.id, repository.name, repository.path, repository.url, blob, *facts)
        )
    return tuple(found.values())


def note_branch(
    session: Session, exposure: int, repository: int, *, state: str, name: str = "", commit: str = "", problem: str = ""
) -> None:
    """Note what was done in one repository; an empty ``name`` or ``commit`` leaves what was noted."""
    rotation = session.scalars(select(Rotation).where(Rotation.exposure_id == exposure)).one()
    known = select(Branch).where(Branch.rotation_id == rotation.id, Branch.repository_id == repository)
    row = session.scalar(known)
    if row is None:
        row = Branch(rotation_id=rotation.id, repository_id=repository, name="", commit="", state="", problem="")
        session.add(row)
    row.state, row.problem = state, problem
    row.name, row.commit = name or row.name, commit or row.commit


def note_stored(session: Session, exposure: int, reference: str, version: str) -> None:
    """Note where the value is kept, and which version of it leaked."""
    rotation = session.scalars(select(Rotation).where(Rotation.exposure_id == exposure)).one()
    rotation.reference, rotation.version = reference, version


def note_rotated(session: Session, exposure: int, evidence: str) -> None:
    """Note that the value is replaced and revoked."""
    rotation = session.scalars(select(Rotation).where(Rotation.exposure_id == exposure)).one()
    rotation.state, rotation.rotated, rotation.evidence = ROTATED, datetime.now(UTC), evidence
    _set_state(session, exposure, ROTATED)


def note_closed(session: Session, exposure: int) -> bool:
    """Close the exposure if its value is rotated and gone from the head of every repository; says whether it did."""
    rotation = session.scalars(select(Rotation).where(Rotation.exposure_id == exposure)).one()
    left = [one for one in _affected(session, exposure, rotation.id) if one.state != CLEAN]
    if left or rotation.state != ROTATED:
        return False
    rotation.state, rotation.closed = CLOSED, datetime.now(UTC)
    _set_state(session, exposure, CLOSED).closed = rotation.closed
    return True


def _set_state(session: Session, exposure: int, state: str) -> Exposure:
    write_alone(session)  # a scan may count the same exposures
    row = session.get_one(Exposure, exposure)
    row.state = state
    recount_states(session, (exposure,))
    return row
