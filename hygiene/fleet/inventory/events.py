"""The queue of pushes that webhooks told of: written before they are acknowledged, done when they are scanned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hygiene.fleet.inventory.models import DONE, QUEUED, Event, Repository

UNKNOWN = "unknown"
_KEPT = timedelta(days=30)  # for which a replay is recognised
_AT_ONCE = 500


class Push(NamedTuple):
    """A push, as a webhook tells of it."""

    digest: str  # of the body
    key: str  # "github:NUMBER" or "gitlab:NUMBER"
    url: str  # to clone from


class Pending(NamedTuple):
    """Events and the repositories that they are about."""

    events: dict[int, int]  # event → repository
    unknown: tuple[int, ...]  # events about repositories that are not in the inventory


def record(session: Session, pushes: Sequence[Push]) -> list[bool]:
    """Queue ``pushes`` in one go; says of each whether it is new."""
    known = set(session.scalars(select(Event.digest).where(Event.digest.in_({push.digest for push in pushes}))))
    new = []
    for push in pushes:
        new.append(push.digest not in known)
        if push.digest not in known:
            known.add(push.digest)
            session.add(Event(digest=push.digest, key=push.key, url=push.url, received=datetime.now(UTC), state=QUEUED))
    return new


def pending(session: Session) -> Pending:
    """Give the queued events, with the repository of each."""
    events = list(
        session.execute(select(Event.id, Event.key, Event.url).where(Event.state == QUEUED).order_by(Event.id))
    )
    if not events:
        return Pending({}, ())
    repositories = session.execute(select(Repository.id, Repository.key, Repository.url)).all()
    # A key is FORGE:HOST:NUMBER; a webhook does not tell the host of the API.
    numbers = {f"{key.partition(':')[0]}:{key.rpartition(':')[2]}": number for number, key, _ in repositories}
    urls = {_plain(url): number for number, _, url in repositories if url}
    found = {event: numbers.get(key) or urls.get(_plain(url)) for event, key, url in events}
    known = {event: number for event, number in found.items() if number is not None}
    return Pending(known, tuple(event for event in found if event not in known))


def mark(session: Session, events: Collection[int], state: str = DONE) -> None:
    """Note what became of ``events``; what is long over is forgotten."""
    ordered = sorted(events)
    for start in range(0, len(ordered), _AT_ONCE):
        session.execute(update(Event).where(Event.id.in_(ordered[start : start + _AT_ONCE])).values(state=state))
    session.execute(delete(Event).where(Event.state != QUEUED, Event.received < datetime.now(UTC) - _KEPT))


def _plain(url: str) -> str:
    return url.strip().lower().removesuffix("/").removesuffix(".git")
