"""Lists every source again, and brings the inventory's repositories up to it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from hygiene.errors import HygieneError
from hygiene.fleet.inventory.models import Repository, Source
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.sources import Changes, apply_listing, note_listing
from hygiene.fleet.listing.protocol import Listing, Wanted
from hygiene.fleet.listing.registry import lister


def refresh(inventory: Inventory, tell: Callable[[str], None]) -> bool:
    """List all sources; says whether each could be listed. One that can't keeps its repositories as they were."""
    sources = inventory.run(lambda session: list(session.scalars(select(Source).order_by(Source.id))))
    listed = [_refresh(inventory, source, tell) for source in sources]
    return all(listed)


def _refresh(inventory: Inventory, source: Source, tell: Callable[[str], None]) -> bool:
    wanted = Wanted(source.location, source.api, source.archived, source.forks)
    known = inventory.run(lambda session: _keys(session, source.id))
    try:
        listing = lister(source.kind).listing(wanted, source.memory, known)
    except HygieneError as error:
        words = error.message
        inventory.run(lambda session: note_listing(session, source.id, None, words))
        tell(f"{source.kind} {source.location} could not be listed: {words}")
        return False
    changes = inventory.run(lambda session: _apply(session, source.id, listing))
    _tell(changes, listing, source, tell)
    return True


def _keys(session: Session, source: int) -> set[str]:
    return set(session.scalars(select(Repository.key).where(Repository.source_id == source)))


def _apply(session: Session, number: int, listing: Listing) -> Changes:
    note_listing(session, number, listing.memory)
    return apply_listing(session, session.get_one(Source, number), listing.repositories, listing.gone)


def _tell(changes: Changes, listing: Listing, source: Source, tell: Callable[[str], None]) -> None:
    if changes.new:
        tell(f"{source.kind} {source.location}: {len(changes.new)} new repositories")
    for before, after in changes.renamed:
        tell(f"{before} is called {after} now")
    for name in changes.gone:
        tell(f"{name} is gone; its findings are kept")
    for place, reason in listing.skipped:
        tell(f"skipped {place}: {reason}")
