"""``kill -9`` into a rotation that a real process makes on a real server: at points spread over all that it changes.

One undisturbed rotation is traced first; the points are chosen among its system calls that write, sync, send,
rename or lock, and each is given to a rotation of its own, which dies as it enters that call.
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.forked import run_forked
from tests.servers.moto import Moto, key_ids, new_key_pair
from tests.servers.postgres import Postgres, works

NAME = "shop/credential"
HYGIENE = [sys.executable, "-m", "hygiene"]
POINTS = int(os.environ.get("HYGIENE_KILL_POINTS", "12"))  # a shape; 100 for a thorough run
CALLS = ("fdatasync", "flock", "fsync", "rename", "renameat", "sendto", "unlink", "unlinkat", "write")
_TRACED = re.compile(r"(\d+) +(\w+)\(")


class Point(NamedTuple):
    """The moment in which the ``number``-th system call ``call`` of a thread begins."""

    call: str
    number: int


class Run:
    """One secret in a home of its own, whose rotation is killed and resumed."""

    def __init__(self, folder: Path, value: str, config: str = "") -> None:
        folder.mkdir()
        (folder / ".hygiene.toml").write_text(config)
        self.folder = folder
        self.environment = {**os.environ, "HYGIENE_HOME": str(folder / "home")}
        self("secret", "put", NAME, stdin=value)

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        done = run_forked(arguments, self.folder, self.environment, stdin)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def points(self) -> list[Point]:
        """Rotate undisturbed, and give every point of the thread that rotates, in order."""
        trace = self.folder / "trace"
        command = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={','.join(CALLS)}"]
        done = self._process([*command, *HYGIENE, "rotate", NAME])
        assert done.returncode == 0, done.stderr
        seen = [found.groups() for found in map(_TRACED.match, trace.read_text().splitlines()) if found]
        ((worker, _),) = Counter(thread for thread, call in seen if call == "fsync").most_common(1)
        calls: Counter[str] = Counter()
        points = []
        for call in (call for thread, call in seen if thread == worker):
            calls[call] += 1
            points.append(Point(call, calls[call]))
        return points

    def killed_at(self, point: Point) -> bool:
        """Rotate under ``strace``, killed at ``point``; says whether it was reached."""
        trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={point.call}"]
        inject = ["-e", f"inject={point.call}:signal=KILL:when={point.number}"]
        done = self._process([*trace, *inject, *HYGIENE, "rotate", NAME])
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
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

    def _process(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )


def needs_strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("not installed: strace")
    probe = ["strace", "-qq", "-o", "/dev/null", "true"]
    if subprocess.run(probe, capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here")


def spread(points: list[Point], wanted: int) -> list[Point]:
    """Give ``wanted`` of ``points``, from the first to the last, evenly."""
    last = len(points) - 1
    return [points[index] for index in sorted({round(index * last / max(wanted - 1, 1)) for index in range(wanted)})]


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


@pytest.mark.slow
@pytest.mark.parametrize("alternating", [False, True], ids=["one-role", "two-roles"])
def test_postgresql_rotation_killed_at_points_spread_over_it_resumes(
    postgres_server: Postgres, tmp_path: Path, alternating: bool
) -> None:
    needs_strace()
    database = Database(postgres_server, tmp_path, alternating)
    points = spread(database.run()[0].points(), POINTS)
    outcomes = Counter[str]()
    for point in points:
        run, old = database.run()
        if run.killed_at(point):
            outcomes[run.resume()] += 1
        database.check(run, old, "nothing")
        shutil.rmtree(run.folder)
    print(f"{outcomes.total()} of {len(points)} killed, then: {dict(outcomes)}")
    assert outcomes.total() >= 0.9 * len(points) and set(outcomes) == {"rotated", "nothing"}


@pytest.mark.slow
@pytest.mark.parametrize("alternating", [False, True], ids=["one-role", "two-roles"])
def test_postgresql_rotation_killed_at_random_moments_resumes(
    postgres_server: Postgres, tmp_path: Path, alternating: bool
) -> None:
    database = Database(postgres_server, tmp_path, alternating)
    chance = random.Random(secrets.randbits(32))
    for _ in range(POINTS):
        run, old = database.run()
        run.killed_after(chance.uniform(0.2, 1.2))
        database.check(run, old, run.resume())


@pytest.mark.slow
def test_access_key_rotation_killed_at_points_spread_over_it_leaves_no_orphan(
    moto_server: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_strace()
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    iam = moto_server.iam()

    def new_run() -> tuple[Run, str]:
        user = "app-" + secrets.token_hex(4)
        return Run(tmp_path / user, new_key_pair(iam, user)), user

    points = spread(new_run()[0].points(), POINTS)
    outcomes = Counter[str]()
    for point in points:
        run, user = new_run()
        if run.killed_at(point):
            outcomes[run.resume()] += 1
        assert key_ids(iam, user) == [json.loads(run.current)["id"]], point
        shutil.rmtree(run.folder)
    print(f"{outcomes.total()} of {len(points)} killed, then: {dict(outcomes)}")
    assert outcomes.total() >= 0.9 * len(points) and set(outcomes) == {"rotated", "nothing"}
