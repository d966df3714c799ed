"""What the listings of all forges share: which repositories are wanted, and what became of those that left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from hygiene.errors import UsageError
from hygiene.fleet.listing.api import Api, Gone
from hygiene.fleet.listing.protocol import Listed, Listing, Wanted

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


class Fact(NamedTuple):
    """One repository as a forge's API tells of it."""

    id: int
    name: str  # with its owner or group
    url: str
    archived: bool
    fork: bool
    empty: bool = False


def checked(location: str, example: str) -> str:
    """Give the name of an organisation or group; raises UsageError for what can't be one."""
    if not _NAME.fullmatch(location):
        raise UsageError(f"{location!r} can't be the name of an organisation or group", hint=example)
    return location


class Place(NamedTuple):
    """Where a listing comes from."""

    name: str  # of the forge and its host: keys begin with it
    wanted: Wanted
    api: Api


def listing_of(place: Place, facts: Iterable[Fact], known: Collection[str], ask: Callable[[str], Fact]) -> Listing:
    """Sort what an API lists; ``ask`` is told the number of one that left the listing, and gives it if it still is.

    One that was renamed or moved to another owner is the same repository; one that is no more is gone.
    """
    found: dict[str, Listed] = {}
    skipped: list[str] = []
    for fact in facts:
        one = _listed(f"{place.name}:{fact.id}", fact)
        reason = _unwanted(fact, place.wanted)
        if reason:
            skipped.append(reason)
        if not reason or one.key in known:  # archived since: it stays, and is marked
            found[one.key] = one
    gone: list[str] = []
    for key in sorted(set(known) - set(found)):
        try:
            found[key] = _listed(key, ask(key.rpartition(":")[2]))
        except Gone:
            gone.append(key)
    told = tuple((f"{number} repositories", reason) for reason, number in Counter(skipped).items())
    return Listing(tuple(found.values()), tuple(gone), told, place.api.memory)


def _unwanted(fact: Fact, wanted: Wanted) -> str:
    if fact.archived and not wanted.archived:
        return "archived"
    if fact.fork and not wanted.forks:
        return "a fork"
    return "it is empty" if fact.empty else ""


def _listed(key: str, fact: Fact) -> Listed:
    return Listed(key, fact.name, fact.url, "", fact.archived, fact.fork)


def fact_from(row: Mapping[str, Any]) -> Fact:
    """Give the fact that a kept row holds."""
    return Fact(**{name: row[name] for name in Fact._fields})
