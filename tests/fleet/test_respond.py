from __future__ import annotations

import json
import secrets
from pathlib import Path

import psycopg
import pytest

from hygiene.cli.boundary import run as hygiene
from hygiene.fleet.inventory.opening import database_url, open_inventory
from tests.fleet.test_scan import _everything
from tests.repository import Repository
from tests.servers.postgres import Postgres


class Shop:
    """One database user, whose password stands in many repositories."""

    def __init__(self, server: Postgres, folder: Path, count: int) -> None:
        self.server = server
        self.user = f"shop_{secrets.token_hex(4)}"
        self.password = "Zq7" + secrets.token_urlsafe(18).replace("-", "x").replace("_", "y")
        server.run(f"create role {self.user} login password '{self.password}'")
        url = server.url(self.user, self.password)
        self.repositories = []
        for number in range(count):
            repository = Repository(folder / f"r{number}")
            repository.commit("begin", **{"app.py": f'DATABASE_URL = "{url}"\nprint(DATABASE_URL)\n'.encode()})
            self.repositories.append(repository)

    def opens(self) -> bool:
        try:
            psycopg.connect(self.server.url(self.user, self.password)).close()
        except psycopg.OperationalError:
            return False
        return True

    def changes(self) -> int:
        return sum(
            1 for line in self.server.log.read_text().splitlines() if "ALTER" in line.upper() and self.user in line
        )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".hygiene.toml").write_text('[providers.postgresql]\nhosts = ["127.0.0.1"]\n')
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def _respond(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict]]:
    capsys.readouterr()
    code = hygiene(["fleet", "respond", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("count", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_respond_rotates_once_and_closes_when_every_repository_is_clean(
    here: Path, postgres_server: Postgres, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    shop = Shop(postgres_server, here / "repositories", count)
    hygiene(["fleet", "add", str(here / "repositories")])
    assert hygiene(["fleet", "scan", "--verify"]) == 1
    capsys.readouterr()
    hygiene(["fleet", "report", "--format", "json"])
    [row] = json.loads(capsys.readouterr().out)["rows"]
    assert (row["repositories"], row["places"], row["verification"]) == (count, count, "live")

    code, [dry] = _respond(capsys, "--dry-run", row["fingerprint"])
    assert (code, dry["state"], len(dry["repositories"])) == (1, "open", count)
    assert shop.opens()

    code, [ended] = _respond(capsys, row["fingerprint"])
    assert (code, ended["state"], ended["failed"]) == (1, "rotated", "")
    assert [one["state"] for one in ended["repositories"]] == ["prepared"] * count
    assert not shop.opens()
    changes = shop.changes()
    assert changes == 1
    branches = [one.git("for-each-ref", "--format=%(refname)", "refs/heads/hygiene") for one in shop.repositories]
    assert all(branches)
    for repository, branch in zip(shop.repositories, branches, strict=True):
        assert shop.password not in repository.git("show", f"{branch}:app.py")
        assert "ref+embedded://fleet/" in repository.git("show", f"{branch}:secrets.toml")

    for repository, branch in list(zip(shop.repositories, branches, strict=True))[:-1]:
        repository.git("merge", "-q", "--squash", branch)
        repository.commit("merged")
    assert hygiene(["fleet", "scan"]) == 1
    code, [ended] = _respond(capsys)
    assert (code, ended["state"]) == (1, "rotated")
    assert sorted(one["state"] for one in ended["repositories"]) == ["clean"] * (count - 1) + ["prepared"]

    shop.repositories[-1].git("merge", "-q", branches[-1])
    hygiene(["fleet", "scan"])
    code, [ended] = _respond(capsys)
    assert (code, ended["state"]) == (0, "closed")
    assert shop.changes() == changes
    assert shop.password not in _everything(open_inventory(database_url()))
    assert not list((here / "home" / "fleet" / "clones").iterdir())


def test_respond_waits_for_a_person_where_no_provider_can(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = secrets.token_hex(20)
    for name in ("one", "two"):
        Repository(here / "repositories" / name).commit("x", **{"app.py": f'BILLING_API_TOKEN = "{token}"\n'.encode()})
    hygiene(["fleet", "add", str(here / "repositories")])
    hygiene(["fleet", "scan"])
    code, [ended] = _respond(capsys, "--all")
    assert (code, ended["state"], ended["failed"]) == (1, "open", "")
    assert ended["waiting"]
    code, [again] = _respond(capsys)
    assert again["repositories"] == ended["repositories"]
    assert hygiene(["fleet", "remove", str(here / "repositories")]) != 0
    assert "a rotation is under way in one" in capsys.readouterr().err


def test_respond_stores_from_history_what_no_file_shows(here: Path, postgres_server: Postgres, capsys) -> None:
    shop = Shop(postgres_server, here / "repositories", 1)
    shop.repositories[0].commit("hide it", **{"app.py": b"import os\n"})
    hygiene(["fleet", "add", str(here / "repositories")])
    hygiene(["fleet", "scan"])
    code, [ended] = _respond(capsys, "--all")
    assert ended["failed"] == ""
    assert (code, ended["state"]) == (0, "closed")
    assert not shop.opens()
