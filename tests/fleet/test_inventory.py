from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, inspect, make_url, select, text

from hygiene.cli.boundary import run as main
from hygiene.errors import ConfigError, UsageError
from hygiene.fleet.inventory.base import Base
from hygiene.fleet.inventory.migrate import downgrade, upgrade
from hygiene.fleet.inventory.models import Event, Exposure, Finding, Repository
from hygiene.fleet.inventory.opening import HEAD, Inventory, InventoryError, database_url, open_inventory
from hygiene.fleet.inventory.trend import standing, standing_of_owners
from hygiene.fleet.key import FleetKey
from tests.fleet.fleet import Fleet, generate
from tests.servers.postgres import Postgres

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")


@pytest.fixture(params=["sqlite", "postgresql"])
def inventory(request: pytest.FixtureRequest) -> Inventory:
    return request.getfixturevalue("database" if request.param == "sqlite" else "postgres_database")


def test_inventory_schema_is_what_the_models_say(inventory: Inventory) -> None:
    with inventory.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migration_down_and_up_keeps_the_data(inventory: Inventory, fleet: Fleet) -> None:
    generate(fleet.folder, ["one", "two"])
    here = Fleet(inventory, fleet.folder, fleet.folder / "mirrors")
    here.add()
    here.scan()
    found = here.found()
    assert found
    owners = inventory.run(standing_of_owners)
    assert sum(one.places for one in owners.values()) == len(found)
    whole = inventory.run(standing)
    assert whole.exposures == whole.places == len(found)
    downgrade(inventory.engine, "0003")
    assert "exposure_count" not in inspect(inventory.engine).get_table_names()
    downgrade(inventory.engine, "0002")
    assert "share" not in inspect(inventory.engine).get_table_names()
    upgrade(inventory.engine)
    assert inventory.run(standing_of_owners) == owners
    assert inventory.run(standing) == whole
    downgrade(inventory.engine, "0001")
    assert "event" not in inspect(inventory.engine).get_table_names()
    assert "verification" not in {column["name"] for column in inspect(inventory.engine).get_columns("exposure")}
    upgrade(inventory.engine)
    assert here.found() == found
    assert inventory.run(lambda session: set(session.scalars(select(Exposure.verification)))) == {"unverified"}
    downgrade(inventory.engine, "base")
    assert inspect(inventory.engine).get_table_names() == ["alembic_version"]
    upgrade(inventory.engine)
    here.add()
    assert here.scan().changed == 2
    assert here.found() == found
    assert inventory.run(standing_of_owners) == owners


def test_sqlite_and_postgresql_hold_the_same(database: Inventory, postgres_database: Inventory, fleet: Fleet) -> None:
    repositories = generate(fleet.folder, ["one", "two", "three"])
    both = [Fleet(inventory, fleet.folder, fleet.folder / "mirrors") for inventory in (database, postgres_database)]
    for here in both:
        here.add()
        here.scan()
    repositories[0].commit("gone", **{"settings.py": b"KEY = 1\n"})
    for here in both:
        here.scan()
    assert both[0].found() == both[1].found() != set()
    counters = select(
        Repository.name, Repository.critical, Repository.high, Repository.medium, Repository.low, Repository.blobs
    ).order_by(Repository.name)
    assert database.run(lambda s: s.execute(counters).all()) == postgres_database.run(
        lambda s: s.execute(counters).all()
    )


_REPORTS = (
    ["--format", "json"], ["--format", "json", "--limit", "3"], ["--format", "csv"], ["--repositories"], ["--owners"],
    ["--owner", "@org/shell"], ["--repository", "two"], ["--repository", "two", "--limit", "1", "--after", "3.1"],
    ["--state", "open"], ["--state", "closed"], ["--trend"], [],
)  # fmt: skip


def test_every_report_is_the_same_from_sqlite_and_postgresql(
    database: Inventory, postgres_database: Inventory, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    made = generate(fleet.folder, ["one", "two", "three", "Ümläut", "zoë"])
    shared = made[0].folder.joinpath("deploy.sh").read_bytes()
    for number, repository in enumerate(made[1:]):
        repository.commit(
            "owners", **{"CODEOWNERS": b"* @org/all\n*.sh @org/shell\nB.sh @org/Build\n", "copy.sh": shared}
        )
        repository.commit("odd", **{f"{number} %_'\\.sh": shared, "a.sh": b"#\n" + shared, "B.sh": b"##\n" + shared})

    def reports(url: str, folder: Path) -> list[str]:
        monkeypatch.setenv("HYGIENE_FLEET_DATABASE", url)
        for repository in made:
            shutil.rmtree(repository.folder / ".git/hygiene", ignore_errors=True)  # what scans remember
        assert main(["fleet", "add", str(fleet.folder)]) == 0
        assert main(["fleet", "scan", "--workers", "1"]) == 1
        made[2].git("reset", "-q", "--hard", "HEAD~1")
        assert main(["fleet", "scan", "--workers", "1"]) == 1
        made[2].git("reset", "-q", "--hard", "ORIG_HEAD")
        told = []
        for options in (*_REPORTS, ["--sarif", str(folder / "sarif")], ["--tickets", str(folder / "tickets")]):
            capsys.readouterr()
            assert main(["fleet", "report", *options]) == 0
            told.append(_MOMENT.sub("MOMENT", capsys.readouterr().out))
        written = sorted(path for path in folder.rglob("*") if path.is_file())
        return [*told, *(f"{path.name} {_MOMENT.sub('MOMENT', path.read_text())}" for path in written)]

    here = reports(str(database.engine.url), tmp_path / "sqlite")
    there = reports(postgres_database.engine.url.render_as_string(hide_password=False), tmp_path / "postgresql")
    for mine, yours in zip(here, there, strict=True):
        assert mine.splitlines() == yours.splitlines()
    assert len(here) > len(_REPORTS) + 2 + 5 + 8
    assert all(here[:7])


def test_inventory_of_a_newer_version_is_refused(database: Inventory) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ConfigError, match="not known to this version"):
        open_inventory(database.engine.url)


def test_inventory_of_another_key_is_refused(database: Inventory) -> None:
    open_inventory(database.engine.url, FleetKey(b"1" * 32))
    open_inventory(database.engine.url, FleetKey(b"1" * 32))
    with pytest.raises(ConfigError, match="another key"):
        open_inventory(database.engine.url, FleetKey(b"2" * 32))


def test_database_that_stays_away_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYGIENE_FLEET_DATABASE", "postgresql://ann:" + "hush" * 3 + "@127.0.0.1:1/x")
    told: list[str] = []
    with pytest.raises(InventoryError) as caught:
        open_inventory(database_url(), patience=1.0, told=told.append)
    assert len(told) == 1
    assert "hush" not in caught.value.message + caught.value.hint


def test_file_that_is_no_inventory_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database\n" * 100)
    told: list[str] = []
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InventoryError) as caught:
            open_inventory(database_url(f"sqlite:///{path}"), told=told.append)
        assert "--database" in caught.value.hint
    assert told == []


def test_database_that_the_server_does_not_have_is_told_at_once(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(postgres_server.admin).set(database="nowhere").render_as_string(hide_password=False)
    monkeypatch.setenv("HYGIENE_FLEET_DATABASE", url)
    told: list[str] = []
    with pytest.raises(InventoryError, match="does not exist"):
        open_inventory(database_url(), told=told.append)
    assert told == []


@pytest.mark.parametrize("url", ["postgresql://ann:word@host/x", "mysql://host/x", "://"])
def test_database_url_that_will_not_do_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        database_url(url)


def test_failed_transaction_leaves_nothing(database: Inventory) -> None:
    with pytest.raises(InventoryError):
        database.run(lambda session: (session.execute(text("insert into setting (name, value) values ('a', 'b')")),
                                      session.execute(text("select * from no_such_table"))))  # fmt: skip
    assert database.run(lambda session: session.scalar(text("select count(*) from setting"))) == 0


def test_head_is_the_newest_step(database: Inventory) -> None:
    assert database.run(lambda session: session.scalar(text("select version_num from alembic_version"))) == HEAD
    assert database.run(lambda session: session.scalar(select(func.count()).select_from(Event))) == 0
    assert database.run(lambda session: session.scalar(select(func.count()).select_from(Finding))) == 0
