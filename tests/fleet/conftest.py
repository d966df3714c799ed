from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from hygiene.fleet.inventory.opening import Inventory, database_url, open_inventory
from tests.fleet.fleet import Fleet
from tests.servers.postgres import Postgres


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Inventory]:
    inventory = open_inventory(database_url(f"sqlite:///{tmp_path / 'inventory.sqlite'}"))
    yield inventory
    inventory.close()


@pytest.fixture
def postgres_database(postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inventory]:
    name = f"fleet_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_server.admin, autocommit=True) as connection:
        # Sorted as people sort, not by bytes as SQLite does: whatever is ordered by text has to say so.
        sorting = "template template0 locale_provider icu icu_locale 'en-US' locale 'C'"
        connection.execute(f"create database {name} {sorting}".encode())
    url = make_url(postgres_server.admin).set(database=name)
    monkeypatch.setenv("HYGIENE_FLEET_DATABASE", url.render_as_string(hide_password=False))
    inventory = open_inventory(database_url())
    yield inventory
    inventory.close()


@pytest.fixture
def fleet(database: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    (tmp_path / "repositories").mkdir()
    return Fleet(database, tmp_path / "repositories", tmp_path / "mirrors")
