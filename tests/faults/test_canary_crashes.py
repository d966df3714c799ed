"""A crash in any layer while a value is in hand: no traceback, dump of locals, core file or memory shows it."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import pytest

from tests.faults.world import SPY, STORED, World

PUT = ("secret", "put", "shop/other")
GET = ("secret", "get", "shop/db")
RUN = ("run", "--env", "DB=ref+embedded://shop/db", "--", "true")
RENDER = ("render", "template")
# Where it breaks, what was asked for.
PLACES = [
    ("pyrage:encrypt", PUT),
    ("hygiene.fileio:_write_new", PUT),
    ("hygiene.store.backends.embedded.signed:rfc8785.dumps", PUT),
    ("hygiene.prove.state:write_state", PUT),
    ("hygiene.store.backends.embedded.recordstore:RecordStore.commit", PUT),
    ("hygiene.prove.redact:_forms", GET),
    ("pyrage:decrypt", GET),
    ("hygiene.store.resolve:fields_of", RENDER),
    ("hygiene.cli.launch:run_child", RUN),
    ("os:posix_spawnp", RUN),
    ("hygiene.cli.render:write_atomic", (*RENDER, "-o", "rendered")),
    ("hygiene.cli.secret.get:write_atomic", (*GET, "-o", "value")),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    world = World(folder, folder / "cache")
    world.put()
    assert world.run("secret", "put", "shop/pair", stdin=json.dumps({"key": STORED})) == 0
    (world.repository.folder / "template").write_text("ref+embedded://shop/pair#/key")
    return world


@pytest.mark.parametrize(("place", "command"), PLACES)
def test_crash_with_a_value_in_hand_shows_it_to_no_dump_of_locals(world, place, command):
    code = world.run(*command, stdin=STORED, SPY_BREAK_AT=place, SPY_DUMP="1")
    assert code == 70 and b"FRAME" in world.stderr, world.stderr.decode()
    assert leaks(world) == []


@pytest.mark.parametrize("method", ["put", "get"])
def test_crash_under_installed_traceback_printers_shows_no_value(world, method):
    """Printers of locals are installed in the interpreter, and the value is in a frame and in the message."""
    command = PUT if method == "put" else GET
    assert world.run(*command, stdin=STORED, SPY_BREAK=method, SPY_HOOKS="1") == 70
    assert world.leaks() == []


@pytest.mark.parametrize(("place", "command"), [PLACES[0], PLACES[6], PLACES[8]])
def test_crash_in_c_with_a_value_in_hand_writes_no_core(world, tmp_path, place, command):
    status = ended(world, command, tmp_path, SPY_BREAK_AT=place, SPY_ABORT="1")
    assert os.WIFSIGNALED(status)
    assert not os.WCOREDUMP(status)
    assert list(tmp_path.glob("core*")) == []


def test_child_of_run_writes_no_core_unless_it_asks_for_one(world, tmp_path):
    limits = "ulimit -Sc; ulimit -Sc unlimited && ulimit -Sc"
    assert world.run(*RUN[:-1], "sh", "-c", limits) == 0
    assert world.stdout == b"0\nunlimited\n"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_memory_and_environment_are_closed_to_the_user_s_other_processes(world):
    """The kernel gives an undumpable process's memory and environment in /proc to root."""
    assert world.run(*GET) == 0
    assert b"dumpable 0" in world.commands.read_bytes()


def leaks(world: World) -> list[str]:
    """Like the world's own, and name the frame."""
    frames = [line.split(b" ", 2)[1].decode() for line in world.stderr.splitlines() if STORED.encode() in line]
    return frames + world.leaks()


def ended(world: World, command: tuple[str, ...], folder: Path, **environ: str) -> int:
    """Run ``command`` with cores allowed, and give its status as the kernel told it."""
    environment = {**os.environ, "HYGIENE_HOME": str(world.home), "PYTHONPATH": str(SPY), "SPY_LOG": os.devnull}
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            os.dup2(os.memfd_create("value"), 0)
            os.pwrite(0, STORED.encode(), 0)
            os.dup2(os.open(os.devnull, os.O_RDWR), 2)
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-m", "hygiene", *command], {**environment, **environ})
        finally:
            os._exit(99)
    return os.waitpid(child, 0)[1]
