from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bench.measuring import took
from hygiene.cli.boundary import run as main
from hygiene.errors import UsageError
from hygiene.fleet.inventory.counting import recount_exposures
from hygiene.fleet.inventory.models import CLOSED, ROTATED, Exposure, Finding, Repository
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.pages import Page, Slice, exposure_number, exposures, findings, number_of, repositories
from hygiene.fleet.inventory.rotations import note_rotated, open_case
from hygiene.fleet.inventory.status import status
from hygiene.fleet.inventory.trend import standing, standing_of_owners, trend
from hygiene.fleet.tickets import sink, tickets
from tests.fakes.schemas import SARIF, schema
from tests.fleet.fleet import Fleet, generate
from tests.fleet.large import fill

_REPORT = [sys.executable, "-m", "hygiene", "fleet", "report"]
Read = Callable[[Session, Slice], Page]


@pytest.fixture(params=["sqlite", "postgresql"])
def inventory(request: pytest.FixtureRequest) -> Inventory:
    return request.getfixturevalue("database" if request.param == "sqlite" else "postgres_database")


def _all(inventory: Inventory, read: Read, limit: int) -> list[dict[str, Any]]:
    rows, after = [], ""
    while True:
        page = inventory.run(lambda session, after=after: read(session, Slice(limit, after)))
        assert len(page.rows) <= limit
        rows += page.rows
        after = page.next
        if not after:
            return rows


@pytest.mark.parametrize(
    "read",
    [
        exposures,
        repositories,
        lambda session, wanted: findings(session, wanted, repository=3),
        lambda session, wanted: findings(session, wanted, owner=2),
    ],
)
def test_pages_joined_are_the_whole_in_one_order(database: Inventory, read: Read) -> None:
    fill(database, 600, repositories=30, owners=4)
    whole = _all(database, read, 1000)
    assert len(whole) >= 20
    assert _all(database, read, 7) == whole


def _by_weight(session: Session) -> tuple[int, ...]:
    """Count the exposures one by one: by severity those to act on, then those rotated, and those closed."""
    held = list(session.execute(select(Exposure.state, Exposure.weight).where(Exposure.repositories > 0)))
    weights = (sum(1 for row in held if row.state != CLOSED and row.weight == weight) for weight in (3, 2, 1, 0))
    return *weights, *(sum(1 for row in held if row.state == state) for state in (ROTATED, CLOSED))


def _told(session: Session) -> tuple[int, ...]:
    return standing(session)[3:]


def test_standing_is_the_count_of_exposures_whoever_changes_them(inventory: Inventory) -> None:
    fill(inventory, 3000, repositories=30, owners=4)
    before = inventory.run(_told)
    assert before == inventory.run(_by_weight)
    for exposure in (1, 2, 700, 1500):
        inventory.run(lambda session, one=exposure: open_case(session, one, begin=True))
        inventory.run(lambda session, one=exposure: note_rotated(session, one, "done"))
    after = inventory.run(_told)
    assert after == inventory.run(_by_weight) != before
    inventory.run(lambda session: session.execute(update(Finding).where(Finding.exposure_id < 400).values(weight=-2)))
    inventory.run(lambda session: recount_exposures(session, range(1, 400)))
    assert inventory.run(_told) == inventory.run(_by_weight) != after


def test_page_of_nonsense_is_refused(database: Inventory) -> None:
    for after in ("1", "a.b.c", "1.2.3; drop table finding", "9" * 30 + ".1.1"):
        with pytest.raises(UsageError):
            database.run(lambda session, after=after: exposures(session, Slice(5, after)))


def test_exposure_is_found_by_the_start_of_its_fingerprint(database: Inventory) -> None:
    fill(database, 40, repositories=2, owners=1)
    assert database.run(lambda session: exposure_number(session, f"v1:{7:040x}")) == 8
    for start in ("v1:", "v1:0000000", "v1:ffffffffff"):
        with pytest.raises(UsageError):
            database.run(lambda session, start=start: exposure_number(session, start))
    with pytest.raises(UsageError):
        database.run(lambda session: number_of(session, Repository.name, "none", "repository"))


def test_report_commands_show_what_was_found(fleet: Fleet, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    generate(fleet.folder, ["one", "two"])
    (fleet.folder / "one/.github").mkdir()
    (fleet.folder / "one/.github/CODEOWNERS").write_text("* @org/shop\n")
    assert main(["fleet", "add", str(fleet.folder)]) == 0
    assert main(["fleet", "scan", "--workers", "1"]) == 1
    assert main(["fleet", "scan"]) == 1
    capsys.readouterr()
    assert main(["fleet", "report", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["standing"]["exposures"] == len(document["rows"]) == 4
    assert main(["fleet", "report"]) == 0
    assert "4 secrets leaked in 4 places" in capsys.readouterr().out
    start = document["rows"][0]["fingerprint"][:12]
    for options in (["--repositories"], ["--owners"], ["--trend"], ["--repository", "one"], ["--format", "csv"],
                    ["--owner", "ann@example.com"], ["--exposure", start]):  # fmt: skip
        assert main(["fleet", "report", *options]) == 0
        assert len(capsys.readouterr().out.splitlines()) >= 1
    assert main(["fleet", "report", "--sarif", str(tmp_path / "sarif"), "--tickets", str(tmp_path / "tickets")]) == 0
    assert len(list((tmp_path / "tickets").iterdir())) == 4
    for path in (tmp_path / "sarif").iterdir():
        jsonschema.validate(json.loads(path.read_text()), schema(SARIF))
    assert main(["fleet", "status"]) == 0
    assert "2 repositories" in capsys.readouterr().out
    assert main(["fleet", "report", "--repository", "nowhere"]) == 2


def test_tickets_are_told_again_only_when_they_change(fleet: Fleet, tmp_path: Path) -> None:
    made = generate(fleet.folder, ["one"])
    fleet.add()
    fleet.scan()
    give = sink(str(tmp_path / "tickets"))
    assert [give(ticket) for ticket in tickets(fleet.inventory)] == [True, True]
    assert [give(ticket) for ticket in tickets(fleet.inventory)] == [False, False]
    made[0].write("copy.py", b"#!/bin/sh\n" + made[0].folder.joinpath("deploy.sh").read_bytes())
    made[0].commit("copy")
    fleet.scan()
    assert sorted(give(ticket) for ticket in tickets(fleet.inventory)) == [False, True]


@pytest.mark.slow
def test_pages_of_a_million_findings_come_within_a_second(
    inventory: Inventory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(inventory, 1_000_000)
    wanted = Slice(50)
    reads: dict[str, Callable[[Session], Any]] = {
        "standing": standing,
        "owners": standing_of_owners,
        "exposures": lambda session: exposures(session, wanted),
        "exposures, late": lambda session: exposures(session, Slice(50, "0.1.100000")),
        "rotated": lambda session: exposures(session, wanted, ROTATED),
        "closed": lambda session: exposures(session, wanted, CLOSED),
        "repositories": lambda session: repositories(session, wanted),
        "repositories, late": lambda session: repositories(session, Slice(50, "0.0.400.0.500")),
        "repository": lambda session: findings(session, wanted, repository=7),
        "repository, late": lambda session: findings(session, Slice(50, "2.1000"), repository=7),
        "owner": lambda session: findings(session, wanted, owner=3),
        "owner, late": lambda session: findings(session, Slice(50, "2.2000"), owner=3),
        "exposure": lambda session: findings(session, wanted, exposure=9),
        "fingerprint": lambda session: exposure_number(session, f"v1:{7:040x}"),
        "trend": trend,
        "trend of an owner": lambda session: trend(session, "@org/team-3"),
        "status": status,
    }
    for name, read in reads.items():
        start = time.perf_counter()
        assert inventory.run(read)
        seconds = time.perf_counter() - start
        print(f"{inventory.engine.name} {name}: {seconds:.3f} s")
        assert seconds <= 1.0, name
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path))
    monkeypatch.setenv("HYGIENE_FLEET_DATABASE", inventory.engine.url.render_as_string(hide_password=False))
    for options in ([], ["--repositories"], ["--owners"], ["--owner", "@org/team-3"], ["--repository", "org/r7"],
                    ["--exposure", f"v1:{7:040x}"], ["--state", "closed"], ["--trend"]):  # fmt: skip
        measured = took(lambda options=options: subprocess.run([*_REPORT, *options], check=True, capture_output=True))
        print(
            f"{inventory.engine.name} report {' '.join(options)}: {measured.cpu:.2f} s of CPU, {measured.seconds:.2f} s"
        )
        assert measured.cpu <= 1.0, options
