from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select

from hygiene.errors import SourceError, UsageError
from hygiene.fleet.inventory.models import Finding, Repository
from hygiene.fleet.listing import api as api_module
from hygiene.fleet.listing import github, gitlab
from hygiene.fleet.listing.protocol import Listing, Wanted
from tests.fleet.fleet import Fleet, generate
from tests.fleet.forges import Forge, forge


@pytest.fixture
def served() -> Iterator[Forge]:
    with forge() as server:
        yield server


@pytest.fixture(params=[github, gitlab], ids=["github", "gitlab"])
def kind(request: pytest.FixtureRequest) -> ModuleType:
    return request.param


def _list(
    kind: ModuleType, served: Forge, memory: Any = (), known: Any = (), *, archived: bool = False, forks: bool = False
) -> Listing:
    api = served.base + ("/api/v4" if kind is gitlab else "")
    return kind.listing(Wanted("acme", api, archived, forks), dict(memory), set(known))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    made = api_module.Api.__init__
    monkeypatch.setattr(
        api_module.Api, "__init__", lambda self, forge, memory: made(self, forge, memory, sleep=waits.append)
    )
    return waits


def test_forge_listing_reads_every_page(kind: ModuleType, served: Forge) -> None:
    for number in range(1, 251):
        served.add(number, f"acme/r{number:03}")
    served.add(999, "other/r")
    listing = _list(kind, served)
    assert [one.name for one in listing.repositories] == [f"acme/r{number:03}" for number in range(1, 251)]
    assert [status for _, status in served.asked] == [200, 200, 200]


def test_forge_listing_again_asks_whether_pages_have_changed(kind: ModuleType, served: Forge) -> None:
    for number in range(1, 151):
        served.add(number, f"acme/r{number:03}")
    first = _list(kind, served)
    served.asked.clear()
    again = _list(kind, served, first.memory, (one.key for one in first.repositories))
    assert again.repositories == first.repositories
    assert [status for _, status in served.asked] == [304, 304]
    served.add(151, "acme/new")
    served.asked.clear()
    assert len(_list(kind, served, again.memory).repositories) == 151
    assert 200 in [status for _, status in served.asked]


def test_forge_listing_takes_archived_and_forks_on_request(kind: ModuleType, served: Forge) -> None:
    served.add(1, "acme/plain")
    served.add(2, "acme/old", archived=True)
    served.add(3, "acme/fork", fork=True)
    plain = _list(kind, served)
    assert [one.name for one in plain.repositories] == ["acme/plain"]
    assert sorted(plain.skipped) == [("1 repositories", "a fork"), ("1 repositories", "archived")]
    assert len(_list(kind, served, archived=True, forks=True).repositories) == 3


def test_forge_listing_waits_until_the_limit_starts_again(kind: ModuleType, served: Forge, slept: list[float]) -> None:
    served.add(1, "acme/r")
    prefix = "x-" if kind is github else ""
    reset = str(int(time.time()) + 90)
    served.refuse = [
        (403 if kind is github else 429, {f"{prefix}ratelimit-remaining": "0", f"{prefix}ratelimit-reset": reset}),
        (429, {"Retry-After": "7"}),
        (502, {}),
    ]
    assert len(_list(kind, served).repositories) == 1
    assert 85 <= slept[0] <= 92
    assert slept[1] == 8
    assert len(slept) == 3


def test_forge_listing_does_not_wait_for_hours(served: Forge, slept: list[float]) -> None:
    served.refuse = [(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 90_000)})]
    with pytest.raises(SourceError, match="minutes"):
        _list(github, served)
    assert slept == []


def test_forge_refusal_without_a_limit_is_no_empty_listing(kind: ModuleType, served: Forge) -> None:
    served.refuse = [(403, {})]
    with pytest.raises(SourceError, match="may not be read"):
        _list(kind, served)


def test_forge_organisation_that_is_not_there_is_an_error(kind: ModuleType, served: Forge) -> None:
    served.organisation = "other"
    with pytest.raises(SourceError, match="there is no"):
        _list(kind, served)


def test_forge_deleted_renamed_and_moved_repositories_are_told_apart(kind: ModuleType, served: Forge) -> None:
    for number, name in enumerate(("stays", "deleted", "renamed", "transferred", "redirected"), 1):
        served.add(number, f"acme/{name}")
    known = {one.key: one.name for one in _list(kind, served).repositories}
    del served.repositories[2]
    served.repositories[3]["name"] = "acme/called-otherwise"
    served.repositories[4]["name"] = "elsewhere/transferred"
    served.add(50, "elsewhere/redirected")
    del served.repositories[5]
    served.moved[5] = 50
    listing = _list(kind, served, known=known)
    names = {one.key.rpartition(":")[2]: one.name for one in listing.repositories}
    assert names == {
        "1": "acme/stays", "3": "acme/called-otherwise", "4": "elsewhere/transferred", "5": "elsewhere/redirected",
    }  # fmt: skip
    assert [key.rpartition(":")[2] for key in listing.gone] == ["2"]


def test_gitlab_project_that_is_to_be_deleted_is_gone(served: Forge) -> None:
    served.add(1, "acme/r")
    known = [one.key for one in _list(gitlab, served).repositories]
    served.repositories[1] |= {"name": "acme-bin/r", "deleting": "2026-01-01"}
    assert len(_list(gitlab, served, known=known).gone) == 1


def test_forge_answers_that_make_no_sense_are_errors(kind: ModuleType, served: Forge, slept: list[float]) -> None:
    for status, headers in ((200, {}), (418, {}), (301, {"Location": "http://169.254.169.254/x"})):
        served.refuse = [(status, headers)] * 9
        with pytest.raises(SourceError):
            _list(kind, served)


@pytest.mark.parametrize("name", ["", "-x", "a b", "../x", "a/../b", "a//b", "a?x=1", "a#b"])
def test_forge_name_that_can_not_be_one_is_refused(kind: ModuleType, name: str) -> None:
    with pytest.raises(UsageError):
        kind.check(Wanted(name))


def test_forge_api_without_tls_is_refused(kind: ModuleType) -> None:
    with pytest.raises(UsageError):
        kind.listing(Wanted("acme", "http://example.com"), {}, ())


def test_forge_token_goes_to_the_api_and_nowhere_else(
    kind: ModuleType, served: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "word")
    monkeypatch.setenv("GITLAB_TOKEN", "word")
    served.add(1, "acme/r")
    listing = _list(kind, served)
    assert served.tokens == {"Bearer word" if kind is github else "word"}
    assert "word" not in str(listing)


def test_fleet_follows_an_organisation_from_scan_to_scan(fleet: Fleet, served: Forge, tmp_path: Path) -> None:
    made = generate(tmp_path / "origin", ["one", "two"])
    for number, repository in enumerate(made, 1):
        served.add(number, f"acme/{repository.folder.name}", f"file://{repository.folder}")
    fleet.add("github", "acme", api=served.base)
    fleet.scan()
    found = {(one.path, one.rule) for one in fleet.found()}
    assert len(fleet.found()) == 4
    served.repositories[1]["name"] = "acme/renamed"
    del served.repositories[2]
    fleet.scan()
    assert any("acme/one is called acme/renamed" in words for words in fleet.told)
    states = fleet.inventory.run(lambda s: dict(s.execute(select(Repository.name, Repository.state)).all()))
    assert states == {"acme/renamed": "active", "acme/two": "gone"}
    assert {(one.path, one.rule) for one in fleet.found()} == found
    assert fleet.inventory.run(lambda s: len(s.scalars(select(Finding)).all())) == 4
