"""A GitHub organisation or user (REST API, version 2022-11-28)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from hygiene.fleet.listing.api import Api, Forge, Gone
from hygiene.fleet.listing.forge import Fact, Place, checked, fact_from, listing_of
from hygiene.fleet.listing.protocol import Listing, Wanted

_PUBLIC = "https://api.github.com"


def check(wanted: Wanted) -> str:
    """Give the organisation's name."""
    _forge(wanted)
    return checked(wanted.location, "github:ORG")


def listing(wanted: Wanted, memory: Mapping[str, Any], known: Collection[str]) -> Listing:
    """List the organisation's repositories, or the user's where there is no such organisation."""
    api = Api(_forge(wanted), memory)
    place = f"github:{urlsplit(wanted.api or _PUBLIC).netloc}"
    facts = list(_facts(api, wanted.location))
    return listing_of(Place(place, wanted, api), facts, known, lambda number: _fact(api.one(f"/repositories/{number}")))


def _facts(api: Api, name: str) -> Iterator[Fact]:
    try:
        rows = list(api.listed(f"/orgs/{name}/repos?per_page=100&type=all&sort=full_name", _kept))
    except Gone:
        rows = list(api.listed(f"/users/{name}/repos?per_page=100&type=owner&sort=full_name", _kept))
    return map(fact_from, rows)


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    return _fact(row)._asdict()


def _fact(row: dict[str, Any]) -> Fact:
    return Fact(int(row["id"]), str(row["full_name"]), str(row["clone_url"]), bool(row["archived"]), bool(row["fork"]))


def _forge(wanted: Wanted) -> Forge:
    return Forge(
        (wanted.api or _PUBLIC).rstrip("/"),
        "GITHUB_TOKEN",
        "Authorization",
        "Bearer ",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    )
