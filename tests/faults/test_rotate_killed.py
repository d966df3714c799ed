"""``kill -9`` into a rotation that a real process makes on a real server, at system calls and at random moments."""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.servers.moto import Moto, key_ids, new_key_pair
from tests.servers.postgres import Postgres

NAME = "shop/credential"
HYGIENE = [sys.executable, "-m", "hygiene"]
POINTS = int(os.environ.get("HYGIENE_KILL_POINTS", "12"))  # a shape; more for a thorough run


class Run:
    """One secret in a home of its own, whose rotation is killed and resumed."""

    def __init__(self, folder: Path, value: str, config: str = "") -> None:
        folder.mkdir()
        (folder / ".hygiene.toml").write_text(config)
        self.folder = folder
        self.environment = {**os.environ, "HYGIENE_HOME": str(folder / "home")}
        self("secret", "put", NAME, stdin=value)

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        done = self._process([*HYGIENE, *arguments], stdin)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def killed_at(self, call: str, number: int) -> bool:
        """Rotate under ``strace``, killed at the ``number``-th system call ``call``; says whether it was reached."""
        trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
        inject = ["-e", f"inject={call}:signal=KILL:when={number}"]
        done = self._process([*trace, *inject, *HYGIENE, "rotate", NAME], "")
        return done.returncode != 0

    def killed_after(self, seconds: float) -> None:
        process = subprocess.Popen(
            [*HYGIENE, "rotate", NAME], cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL
        )
        time.sleep(seconds)
        process.kill()
        process.wait()

    def resume(self) -> str:
        """Resume, and give the outcome; nothing to resume means that it had not begun or had ended."""
        results = json.loads(self("rotate", "--resume", "--json"))
        assert json.loads(self("rotate", "--resume", "--json")) == []
        self("audit", "verify")
        told = json.loads(self("secret", "describe", NAME, "--json"))
        assert not any("pending" in version["stages"] for version in told["versions"])
        return results[0]["outcome"] if results else "nothing"

    @property
    def current(self) -> str:
        return self("secret", "get", NAME)

    def _process(self, command: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, input=stdin, capture_output=True, text=True, timeout=120
        )


def needs_strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("not installed: strace")
    probe = ["strace", "-qq", "-o", "/dev/null", "true"]
    if subprocess.run(probe, capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here")


def spread(points: int, last: int) -> list[int]:
    """Give ``points`` numbers from 1 to ``last``, evenly."""
    return sorted({1 + round(index * (last - 1) / max(points - 1, 1)) for index in range(points)})


class Database:
    """Roles on a real PostgreSQL, whose passwords are rotated."""

    def __init__(self, server: Postgres, folder: Path, alternating: bool) -> None:
        self.server, self.folder, self.alternating = server, folder, alternating

    def run(self) -> tuple[Run, str]:
        role, password = "kill_" + secrets.token_hex(4), secrets.token_hex(12)
        self.server.run(f"create role {role} login password '{password}'", f"create role {role}_b")
        config = f'[providers.postgresql]\nhosts = ["127.0.0.1:{self.server.port}"]\n'
        url = self.server.url(role, password)
        run = Run(self.folder / role, url, config)
        if self.alternating:
            run("secret", "put", "admin", stdin=self.server.admin)
            admin = 'admin = "ref+embedded://admin"\n'
            roles = f'[[rotation.secrets]]\nnames = "{NAME}"\nsettings = {{ roles = "{role},{role}_b" }}\n'
            (run.folder / ".hygiene.toml").write_text(config + admin + roles)
        return run, url

    def check(self, run: Run, old: str, outcome: str) -> None:
        current = run.current
        assert works(current)
        assert outcome in ("rotated", "nothing")
        if outcome == "rotated":
            assert current != old
        assert works(old) == (current == old)


def works(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("alternating", [False, True], ids=["one-role", "two-roles"])
@pytest.mark.parametrize("call", ["fsync", "sendto", "renameat,rename"])
def test_postgresql_rotation_killed_at_a_system_call_resumes(
    postgres_server: Postgres, tmp_path: Path, alternating: bool, call: str
) -> None:
    needs_strace()
    database = Database(postgres_server, tmp_path, alternating)
    outcomes = []
    for number in spread(POINTS, 70):
        run, old = database.run()
        if not run.killed_at(call, number):
            database.check(run, old, "rotated")
            break
        outcomes.append(run.resume())
        database.check(run, old, outcomes[-1])
    assert "rotated" in outcomes


@pytest.mark.slow
@pytest.mark.parametrize("alternating", [False, True], ids=["one-role", "two-roles"])
def test_postgresql_rotation_killed_at_random_moments_resumes(
    postgres_server: Postgres, tmp_path: Path, alternating: bool
) -> None:
    database = Database(postgres_server, tmp_path, alternating)
    chance = random.Random(secrets.randbits(32))
    for _ in range(POINTS):
        run, old = database.run()
        run.killed_after(chance.uniform(0.2, 1.6))
        database.check(run, old, run.resume())


@pytest.mark.slow
@pytest.mark.parametrize("call", ["fsync", "sendto"])
def test_access_key_rotation_killed_at_a_system_call_leaves_no_orphan(
    moto_server: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    needs_strace()
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    iam = moto_server.iam()
    for number in spread(POINTS, 70):
        user = "app-" + secrets.token_hex(4)
        run = Run(tmp_path / user, new_key_pair(iam, user))
        reached = run.killed_at(call, number)
        if reached:
            run.resume()
        assert key_ids(iam, user) == [json.loads(run.current)["id"]]
        if not reached:
            break
