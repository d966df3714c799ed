from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hygiene.cli.rotations import VERDICTS
from hygiene.places import cache_folder
from tests.servers.postgres import Postgres


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    shutil.copytree(cache_folder(), tmp_path / "cache")  # compiled rules; the verdicts are this test's own
    (tmp_path / "cache" / VERDICTS).unlink(missing_ok=True)
    monkeypatch.setenv("HYGIENE_CACHE", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    return project


def scan(folder: Path, *options: str) -> list[dict[str, str]]:
    command = [sys.executable, "-m", "hygiene", "scan", ".", "--format", "json", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, (done.returncode, done.stderr)
    findings: list[dict[str, str]] = json.loads(done.stdout)["findings"]
    return findings


def test_scan_verify_says_what_is_live_and_leaves_a_trace(postgres_server: Postgres, folder: Path) -> None:
    role, password = "seen_" + secrets.token_hex(4), secrets.token_hex(12)
    postgres_server.run(f"create role {role} login password '{password}'")
    allowed = f'[providers.postgresql]\nhosts = ["127.0.0.1:{postgres_server.port}"]\n'
    (folder / ".hygiene.toml").write_text(allowed)
    (folder / "live.env").write_text(f"A={postgres_server.url(role, password)}\n")
    (folder / "dead.env").write_text(f"B={postgres_server.url(role, secrets.token_hex(12))}\n")
    said = {finding["path"]: finding["verification"] for finding in scan(folder, "--verify")}
    assert said == {"live.env": "live", "dead.env": "dead"}
    log = subprocess.run([sys.executable, "-m", "hygiene", "audit", "log", "--json"], capture_output=True, text=True)
    assert log.stdout.count('"verify"') >= 2
    assert password not in log.stdout


def test_scan_verify_asks_no_second_time_within_minutes(postgres_server: Postgres, folder: Path) -> None:
    role, password = "again_" + secrets.token_hex(4), secrets.token_hex(12)
    postgres_server.run(f"create role {role} login password '{password}'")
    allowed = f'[providers.postgresql]\nhosts = ["127.0.0.1:{postgres_server.port}"]\n'
    (folder / ".hygiene.toml").write_text(allowed)
    (folder / "a.env").write_text(f"A={postgres_server.url(role, password)}\n")
    assert [finding["verification"] for finding in scan(folder, "--verify")] == ["live"]
    postgres_server.run(f"drop role {role}")
    assert [finding["verification"] for finding in scan(folder, "--verify")] == ["live"]
    (cache_folder() / VERDICTS).unlink()
    assert [finding["verification"] for finding in scan(folder, "--verify")] == ["dead"]


def test_scan_without_verify_asks_nobody(postgres_server: Postgres, folder: Path) -> None:
    (folder / "a.env").write_text(f"A={postgres_server.url('nobody', secrets.token_hex(12))}\n")
    assert [finding["verification"] for finding in scan(folder)] == ["unverified"]


def test_scan_verify_host_that_is_not_allowed_is_unknown(postgres_server: Postgres, folder: Path) -> None:
    (folder / "a.env").write_text(f"A={postgres_server.url('nobody', secrets.token_hex(12))}\n")
    assert [finding["verification"] for finding in scan(folder, "--verify")] == ["unknown"]
