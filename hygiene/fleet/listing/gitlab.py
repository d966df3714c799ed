"""A GitLab group with its subgroups (REST API, version 4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from hygiene.fleet.listing.api import Api, Forge, Gone
from hygiene.fleet.listing.forge import Fact, Place, checked, fact_from, listing_of
from hygiene.fleet.listing.protocol import Listing, Wanted

_PUBLIC = "https://gitlab.com/api/v4"


def check(wanted: Wanted) -> str:
    """Give the group's full path."""
    _forge(wanted)
    return checked(wanted.location, "gitlab:GROUP or gitlab:GROUP/SUBGROUP")


def listing(wanted: Wanted, memory: Mapping[str, Any], known: Collection[str]) -> Listing:
    """List the projects of the group and of all groups in it, without those that are only shared with it."""
    api = Api(_forge(wanted), memory)
    place = f"gitlab:{urlsplit(wanted.api or _PUBLIC).netloc}"
    group = quote(wanted.location, safe="")
    options = "include_subgroups=true&with_shared=false&order_by=id&sort=asc&per_page=100"
    facts = [fact_from(row) for row in api.listed(f"/groups/{group}/projects?{options}", _kept)]
    return listing_of(Place(place, wanted, api), facts, known, lambda number: _alive(api.one(f"/projects/{number}")))


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    return _fact(row)._asdict()


def _alive(row: dict[str, Any]) -> Fact:
    if row.get("marked_for_deletion_on") or row.get("marked_for_deletion_at"):
        raise Gone("it is to be deleted")
    return _fact(row)


def _fact(row: dict[str, Any]) -> Fact:
    return Fact(
        int(row["id"]),
        str(row["path_with_namespace"]),
        str(row["http_url_to_repo"]),
        bool(row.get("archived", False)),
        bool(row.get("forked_from_project")),
        bool(row.get("empty_repo", False)),
    )


def _forge(wanted: Wanted) -> Forge:
    api = (wanted.api or _PUBLIC).rstrip("/")
    return Forge(api, "GITLAB_TOKEN", "PRIVATE-TOKEN", "", "ratelimit-remaining", "ratelimit-reset", {})
