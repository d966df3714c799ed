"""Sources and the repositories that they list: what is new, renamed, archived or gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hygiene.fleet.inventory.models import ACTIVE, ARCHIVED, GONE, Owner, Repository, Source
from hygiene.fleet.listing.protocol import Listed


def add_source(session: Session, wanted: Source) -> tuple[Source, bool]:
    """Add ``wanted``, or bring the same one's options up to date; says whether it is new."""
    known = session.scalar(select(Source).where(Source.kind == wanted.kind, Source.location == wanted.location))
    if known is None:
        session.add(wanted)
        session.flush()
        return wanted, True
    known.api, known.team, known.archived, known.forks = wanted.api, wanted.team, wanted.archived, wanted.forks
    return known, False


def new_source(kind: str, location: str, *, api: str = "", team: str = "", archived: bool, forks: bool) -> Source:
    """Make a source that was never listed."""
    return Source(
        kind=kind, location=location, api=api, team=team, archived=archived, forks=forks,
        listed=None, memory={}, problem="",
    )  # fmt: skip


def owner_id(session: Session, name: str) -> int | None:
    """Give the number of the owner ``name``, made where it is new; None for no name."""
    if not name:
        return None
    found = session.scalar(select(Owner.id).where(Owner.name == name))
    if found is None:
        owner = Owner(name=name)
        session.add(owner)
        session.flush()
        found = owner.id
    return found


class Changes:
    """What a listing changed."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.new: list[str] = []
        self.renamed: list[tuple[str, str]] = []
        self.gone: list[str] = []


def apply_listing(session: Session, source: Source, listed: Iterable[Listed], gone: Iterable[str]) -> Changes:
    """Bring the repositories of ``source`` up to what it lists; ``gone`` are the keys that are surely no more.

    A repository keeps its number, and so its findings, whatever it is called; one that is gone keeps them as well.
    """
    changes = Changes()
    known = {row.key: row for row in session.scalars(select(Repository))}
    for one in {item.key: item for item in listed}.values():
        state = ARCHIVED if one.archived else ACTIVE
        row = known.get(one.key)
        if row is None:
            changes.new.append(one.name)
            session.add(_repository(session, source, one, state))
            continue
        if row.source_id != source.id and row.state != GONE:
            continue  # two sources list it: it is called what the first one calls it
        if row.name != one.name:
            changes.renamed.append((row.name, one.name))
        row.source_id, row.name, row.url, row.state = source.id, one.name, one.url, state
        row.path = one.path or row.path
    for key in gone:
        if key in known and known[key].state != GONE:
            known[key].state = GONE
            changes.gone.append(known[key].name)
    return changes


def note_listing(session: Session, source_id: int, memory: Mapping[str, Any] | None, problem: str = "") -> None:
    """Keep what the next listing of a source can build on, or why this one failed."""
    source = session.get_one(Source, source_id)
    source.problem = problem
    if memory is not None:
        source.memory = dict(memory)
        source.listed = datetime.now(UTC)


def _repository(session: Session, source: Source, one: Listed, state: str) -> Repository:
    return Repository(
        source_id=source.id, key=one.key, name=one.name, url=one.url, path=one.path, state=state,
        owner_id=owner_id(session, source.team), tips="", scanned="", scanned_at=None,
        added=datetime.now(UTC), seconds=0.0, bytes=0, blobs=0, commits=0, problem="",
        critical=0, high=0, medium=0, low=0,
    )  # fmt: skip
