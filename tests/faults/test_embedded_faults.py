"""The embedded store under many writers, kills at random places, and a full disk."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress

import pytest

from hygiene.config import Config
from hygiene.errors import ExitCode, WriteError
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT
from hygiene.store.registry import open_store
from tests.faults.storm import assert_whole, audited_store, storm

# A shape of it in every run; the full figures with HYGIENE_STORM=500 HYGIENE_KILLS=200.
OPERATIONS = int(os.environ.get("HYGIENE_STORM", "25"))
KILLS = int(os.environ.get("HYGIENE_KILLS", "20"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path))
    for name in ("HYGIENE_IDENTITY", "HYGIENE_IDENTITY_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def fork(work):
    """Run ``work(acknowledge)`` in a child; gives its process id and the pipe of its acknowledgements."""
    source, sink = os.pipe()
    child = os.fork()
    if child:
        os.close(sink)
        return child, source
    code = 1
    try:
        os.close(source)
        work(lambda line: os.write(sink, line.encode()))
        code = 0
    finally:
        os._exit(code)


def acknowledged(source, early=b""):
    with os.fdopen(source, "rb") as stream:
        lines = (early + stream.read()).splitlines(keepends=True)
    return [tuple(line.decode().split()) for line in lines if line.endswith(b"\n")]  # a kill may tear the last


def test_eight_processes_of_mixed_operations_lose_nothing(home):
    audited_store(home).put(
        "team/00", Secret(b"00000000-0000-4000-8000-000000000000"), token="0" * 8 + "-0000-4000-8000-" + "0" * 12
    )
    children = [
        fork(lambda acknowledge, seed=seed: storm(audited_store(home), seed, OPERATIONS, acknowledge))
        for seed in range(8)
    ]
    done = []
    for child, source in children:
        done += acknowledged(source)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(done) > 8 * OPERATIONS * 0.3
    assert_whole(home, done)


def test_kill_at_random_places_loses_nothing(home):
    choice, done, killed = random.Random(20), [], 0
    audited_store(home).put(
        "team/00", Secret(b"00000000-0000-4000-8000-000000000000"), token="0" * 8 + "-0000-4000-8000-" + "0" * 12
    )
    for round in range(KILLS):
        child, source = fork(lambda acknowledge, seed=round: storm(audited_store(home), seed, 10_000, acknowledge))
        # A random number of its writes, and then somewhere within the next few operations.
        early = b"".join(os.read(source, 200) for _ in range(choice.randrange(3)))
        time.sleep(choice.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        done += acknowledged(source, early)
        killed += 1
        if round % 20 == 19:
            assert_whole(home, done)
    assert killed == KILLS
    assert len(done) > KILLS / 2
    assert_whole(home, done)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def _fill(folder, left):
    """Leave ``left`` bytes free."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "filler").write_bytes(b"x" * max(0, free - left))


def test_full_disk_at_each_write_is_a_clear_error_and_the_old_state_is_readable(small_disk, monkeypatch):
    monkeypatch.setenv("HYGIENE_HOME", str(small_disk))
    store = audited_store(small_disk)
    values = {}
    for number in range(4):
        values[f"team/{number:02d}"] = str(uuid.uuid4())
        store.put(
            f"team/{number:02d}", Secret(values[f"team/{number:02d}"].encode()), token=values[f"team/{number:02d}"]
        )
    outcomes = set()
    for left in range(0, 24 * 4096, 4096):
        token = str(uuid.uuid4())
        _fill(small_disk, left)
        bare = open_store("embedded:", Config())
        try:
            bare.put("team/00", Secret(token.encode()), token=token)
            values["team/00"] = token
            outcomes.add("written")
        except WriteError as error:
            assert "full" in error.message
            assert error.hint
            outcomes.add("refused")
        reader = open_store("embedded:", Config())
        assert {name: reader.get(name).reveal().decode() for name in values} == values
        (small_disk / "filler").unlink()
        assert {told.name: told.staged(CURRENT).id for told in reader.list()} == values
    assert outcomes == {"written", "refused"}


def test_full_disk_through_the_command_has_its_exit_code_and_hint(small_disk):
    environment = {**os.environ, "HYGIENE_HOME": str(small_disk)}
    command = [sys.executable, "-m", "hygiene", "secret"]

    def run(*arguments, value=b""):
        return subprocess.run([*command, *arguments], input=value, capture_output=True, env=environment, timeout=60)

    assert run("put", "a", value=b"old").returncode == 0
    _fill(small_disk, 0)
    full = run("put", "a", value=b"new-value")
    assert full.returncode in (ExitCode.STORE, ExitCode.AUDIT)
    assert b"full" in full.stderr
    assert b"hint" in full.stderr
    assert b"Traceback" not in full.stderr
    (small_disk / "filler").unlink()
    assert run("get", "a").stdout == b"old"


def test_first_write_on_a_full_disk_leaves_nothing_that_stops_the_second(small_disk, monkeypatch):
    monkeypatch.setenv("HYGIENE_HOME", str(small_disk))
    for left in range(0, 10 * 4096, 4096):
        _fill(small_disk, left)
        with suppress(WriteError):
            open_store("embedded:", Config(), notify=lambda key: None).put("a", Secret(b"v"), token=str(uuid.uuid4()))
        (small_disk / "filler").unlink()
    store = open_store("embedded:", Config(), notify=lambda key: None)
    store.put("a", Secret(b"v"), token=str(uuid.uuid4()))
    assert store.get("a") == Secret(b"v")
