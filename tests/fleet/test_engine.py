"""The run under faults: workers and schedulers that die, a database that goes away. Real processes, real servers."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from hygiene.cli.fleetwork import perform
from hygiene.errors import SourceError
from hygiene.fleet import planning
from hygiene.fleet.engines.dask import DaskEngine
from hygiene.fleet.engines.protocol import Batch, Engine, Perform
from hygiene.fleet.inventory.models import DONE, Exposure, Finding, Run, Task
from hygiene.fleet.inventory.opening import Inventory, database_url, open_inventory
from hygiene.fleet.running import Tally
from hygiene.fleet.tasks import Outcome
from tests.fleet.fleet import Fleet, Found, generate, single_scans
from tests.servers.postgres import Postgres, postgres, stoppable_postgres
from tests.servers.process import accepts, free_port, running

pytestmark = pytest.mark.slow


def slowly(batch: Batch) -> list[Outcome]:
    """Work, but so that there is time to be killed."""
    time.sleep(0.3)
    return perform(batch)


@contextmanager
def scheduler(port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port),
               "--no-dashboard"]  # fmt: skip
    with running(command, log=log, ready=accepts(port)) as process:
        yield process


@contextmanager
def workers(port: int, folder: Path, count: int = 2) -> Iterator[None]:
    command = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1"]
    command += ["--nworkers", str(count), "--no-dashboard", "--local-directory", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with (folder / "workers.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _counts(inventory: Inventory) -> list[int]:
    tables = (Exposure, Finding)
    return inventory.run(lambda s: [s.scalar(select(func.count()).select_from(table)) or 0 for table in tables])


def _after(holds: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    def wait() -> None:
        end = time.monotonic() + 120
        while not holds() and time.monotonic() < end:
            time.sleep(0.05)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def _done(inventory: Inventory) -> int:
    return inventory.run(lambda s: s.scalar(select(func.count()).where(Task.state == DONE))) or 0


def _make(fleet: Fleet, count: int = 40) -> set[Found]:
    made = generate(fleet.folder, [f"r{number:03}" for number in range(count)])
    fleet.add()
    return single_scans([one.folder for one in made], fleet.key)


Open = Callable[[Perform], Engine]


@pytest.fixture(params=["own cluster", "scheduler"])
def opened(request: pytest.FixtureRequest, fleet: Fleet, tmp_path: Path) -> Iterator[Open]:
    """Give what opens an engine with two workers."""
    if request.param == "own cluster":
        yield lambda work: DaskEngine(work, scheduler="", workers=2, tell=fleet.told.append)
        return
    port = free_port()
    (tmp_path / "workers").mkdir()
    with scheduler(port, tmp_path / "scheduler.log"), workers(port, tmp_path / "workers"):
        yield lambda work: _dask(work, port, fleet)


def _dask(work: Perform, port: int, fleet: Fleet) -> Engine:
    """Open the scheduler's engine once it has both workers."""
    deadline = time.monotonic() + 60
    while True:
        engine = DaskEngine(work, scheduler=f"tcp://127.0.0.1:{port}", tell=fleet.told.append)
        if engine.workers == 2:
            return engine
        assert time.monotonic() < deadline
        engine.close()
        time.sleep(0.2)


def _workers() -> list[psutil.Process]:
    """Give the workers below this process: what a fork server has forked, or a nanny of distributed has started."""
    found = psutil.Process().children(recursive=True)
    servers = {p.pid for p in found if _is_fork_server(p) and not _is_fork_server(p.parent())}
    return [p for p in found if p.ppid() in servers or "spawn_main" in " ".join(p.cmdline())]


def _is_fork_server(process: psutil.Process | None) -> bool:
    return process is not None and "forkserver" in " ".join(process.cmdline())


def test_two_workers_give_the_union_of_single_scans_also_in_parts(
    fleet: Fleet, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SPLIT_BYTES", 2000)
    expected = _make(fleet, 12)
    tally = fleet.scan(opened(perform))
    assert tally.failed == ()
    assert fleet.found() == expected


def test_worker_killed_while_it_works_is_replaced_and_nothing_is_lost_or_twice(
    fleet: Fleet, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH_UNITS", 4)
    expected = _make(fleet)
    engine = opened(slowly)
    killed: list[int] = []

    def kill() -> None:
        victim = _workers()[-1]
        victim.kill()
        killed.append(victim.pid)

    thread = _after(lambda: _done(fleet.inventory) >= 8, kill)
    tally = fleet.scan(engine)
    thread.join()
    assert killed
    assert tally.failed == ()
    assert fleet.found() == expected
    assert _counts(fleet.inventory)[1] == len(expected)


def deadly(batch: Batch) -> list[Outcome]:
    """Work, but die of one repository, as of one for which the memory does not suffice."""
    if any(unit.path.endswith("r003") for unit in batch.units):
        os.kill(os.getpid(), signal.SIGKILL)
    return perform(batch)


def test_repository_that_kills_its_workers_is_told_and_the_others_are_scanned(fleet: Fleet) -> None:
    expected = {one for one in _make(fleet, 12) if not one.repository.endswith("r003")}
    tally = fleet.scan(DaskEngine(deadly, scheduler="", workers=2, tell=fleet.told.append))
    assert tally.failed == (("r003", "4 workers died of it"),)
    assert fleet.found() == expected
    assert fleet.scan().changed == 1


def failing(batch: Batch) -> list[Outcome]:
    raise RuntimeError(f"of {batch.units[0].path}")


def test_worker_that_fails_is_told_without_its_words(fleet: Fleet, opened: Open) -> None:
    _make(fleet, 2)
    tally = fleet.scan(opened(failing))
    assert {problem for _, problem in tally.failed} == {"the worker failed (RuntimeError)"}
    assert len(tally.failed) == 2


def test_workers_end_when_their_run_is_killed(fleet: Fleet, tmp_path: Path) -> None:
    _make(fleet, 12)
    process = subprocess.Popen([sys.executable, _script(fleet, tmp_path)], **_ELSEWHERE)  # type: ignore[call-overload]
    found: list[psutil.Process] = []

    def kill() -> None:
        found.extend(psutil.Process(process.pid).children(recursive=True))
        process.kill()

    _after(lambda: _done(fleet.inventory) >= 2, kill).join()
    process.communicate()
    gone, alive = psutil.wait_procs(found, timeout=30)
    assert len(gone) >= 2
    assert alive == []


def test_scheduler_restarted_while_it_works_goes_on_to_the_same_end(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH_UNITS", 2)
    expected = _make(fleet)
    port = free_port()
    (tmp_path / "w").mkdir()
    first = scheduler(port, tmp_path / "scheduler.log")
    first.__enter__()
    second = scheduler(port, tmp_path / "scheduler2.log")
    with workers(port, tmp_path / "w"):
        engine = _dask(slowly, port, fleet)

        def restart() -> None:
            first.__exit__(None, None, None)
            second.__enter__()

        thread = _after(lambda: _done(fleet.inventory) >= 6, restart)
        (tmp_path / "w2").mkdir()
        more = workers(port, tmp_path / "w2")  # workers end with their scheduler: a deployer starts new ones
        runner: list[Tally] = []
        scan = threading.Thread(target=lambda: runner.append(fleet.scan(engine)))
        scan.start()
        thread.join()
        more.__enter__()
        try:
            scan.join(240)
            tally = runner[0]
        finally:
            more.__exit__(None, None, None)
            second.__exit__(None, None, None)
    assert any("scheduler is gone" in words for words in fleet.told)
    assert tally.failed == ()
    assert fleet.found() == expected
    assert _counts(fleet.inventory)[1] == len(expected)


def test_database_that_hangs_for_thirty_seconds_ends_with_the_same_inventory(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = _make(fleet, 30)
    with postgres(secrets.token_hex(16)) as server:
        there = _on_postgres(fleet, server, monkeypatch)
        [main] = [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] == "postgres" and str(server.port) in (process.info["cmdline"] or [])
        ]

        def hang() -> None:
            # Connections are cut and none is taken: a proxy that is down. The processes are ours.
            for child in main.children():
                if f"127.0.0.1({server.port}" in " ".join(child.cmdline()) or "admin shop" in " ".join(child.cmdline()):
                    child.terminate()
            main.suspend()
            time.sleep(30)
            main.resume()

        thread = _after(lambda: _done(there.inventory) >= 3, hang)
        start = time.monotonic()
        tally = there.scan()
        thread.join()
        print(f"took {time.monotonic() - start:.0f} s, told {there.told}")
        _assert_ended_whole(there, tally, expected)


def test_worker_scheduler_and_database_lost_in_one_run_end_with_the_same_inventory(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker is killed, the scheduler killed and replaced, the database crashes and is away for 30 seconds."""
    monkeypatch.setattr(planning, "BATCH_UNITS", 2)
    expected = _make(fleet, 80)
    port = free_port()
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    with stoppable_postgres(secrets.token_hex(16)) as (server, away), ExitStack() as stack:
        there = _on_postgres(fleet, server, monkeypatch)
        first = stack.enter_context(scheduler(port, tmp_path / "first.log"))
        stack.enter_context(workers(port, tmp_path / "before"))
        engine = _dask(slowly, port, there)
        happened: list[int] = []

        def lose() -> None:
            _workers()[-1].kill()
            happened.append(_when(there.inventory, 24))
            first.kill()
            first.wait()
            stack.enter_context(scheduler(port, tmp_path / "second.log"))
            stack.enter_context(workers(port, tmp_path / "after"))
            happened.append(_when(there.inventory, 40))
            away(30)
            happened.append(_when(there.inventory, 41))

        thread = _after(lambda: _done(there.inventory) >= 8, lose)
        tally = there.scan(engine)
        thread.join()
        print(f"results that were written at each loss: {happened}; told {there.told}")
        assert "Traceback" not in caplog.text
        assert len(happened) == 3
        assert happened[1] < 80
        assert any("scheduler is gone" in words for words in there.told)
        assert any("the inventory does not answer" in words for words in there.told)
        _assert_ended_whole(there, tally, expected)


def _on_postgres(fleet: Fleet, server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setenv("HYGIENE_FLEET_DATABASE", server.admin)
    told: list[str] = []
    there = Fleet(open_inventory(database_url(), told=told.append), fleet.folder, fleet.folder / "mirrors")
    there.told = told
    there.add()
    return there


def _assert_ended_whole(there: Fleet, tally: Tally, expected: set[Found]) -> None:
    assert tally.failed == ()
    assert there.found() == expected
    assert _counts(there.inventory)[1] == len(expected)
    assert _done(there.inventory) == tally.changed
    there.inventory.close()


def _when(inventory: Inventory, number: int) -> int:
    """Wait until so many tasks are done; gives how many there are."""
    end = time.monotonic() + 120
    while (done := _done(inventory)) < number and time.monotonic() < end:
        time.sleep(0.05)
    return done


def test_run_killed_is_resumed_by_the_next(fleet: Fleet, tmp_path: Path) -> None:
    expected = _make(fleet)
    url = fleet.inventory.engine.url.render_as_string()
    script = (
        "from pathlib import Path; from tests.fleet.fleet import Fleet; from tests.fleet.test_engine import slowly;"
        "from hygiene.fleet.engines.inline import InlineEngine;"
        "from hygiene.fleet.inventory.opening import database_url, open_inventory;"
        f"fleet = Fleet(open_inventory(database_url({url!r})), Path({str(fleet.folder)!r}), Path('/nowhere'));"
        "fleet.scan(InlineEngine(slowly))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    _after(lambda: _done(fleet.inventory) >= 5, process.kill).join()
    process.wait()
    before = _done(fleet.inventory)
    assert 5 <= before < 40
    tally = fleet.scan()
    assert tally.changed == 40 - before
    assert fleet.found() == expected
    assert fleet.inventory.run(lambda s: list(s.scalars(select(Run.state).order_by(Run.id)))) == ["interrupted", "done"]


_ELSEWHERE = {  # how a run of its own is started
    "cwd": Path(__file__).parents[2], "env": {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, "text": True,
    "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True,
}  # fmt: skip


def _script(fleet: Fleet, folder: Path) -> str:
    """Write a program that scans ``fleet`` with two workers; gives its path."""
    script = folder / "run.py"
    script.write_text(
        "from pathlib import Path; from tests.fleet.fleet import Fleet; from tests.fleet.test_engine import slowly\n"
        "from hygiene.fleet import planning; from hygiene.fleet.engines.dask import DaskEngine\n"
        "from hygiene.fleet.inventory.opening import database_url, open_inventory\n"
        "if __name__ == '__main__':\n"
        "    planning.BATCH_UNITS = 4\n"
        f"    url = database_url({fleet.inventory.engine.url.render_as_string()!r})\n"
        f"    fleet = Fleet(open_inventory(url), Path({str(fleet.folder)!r}), Path('/nowhere'))\n"
        "    try: fleet.scan(DaskEngine(slowly, scheduler='', workers=2, tell=print))\n"
        "    except KeyboardInterrupt: print('interrupted')\n"
    )
    return str(script)


def test_run_interrupted_with_all_its_workers_ends_without_their_tracebacks_and_is_resumed(
    fleet: Fleet, tmp_path: Path
) -> None:
    expected = _make(fleet)
    process = subprocess.Popen([sys.executable, _script(fleet, tmp_path)], **_ELSEWHERE)  # type: ignore[call-overload]
    _after(lambda: _done(fleet.inventory) >= 4, lambda: os.killpg(process.pid, signal.SIGINT)).join()
    told, _ = process.communicate(timeout=60)
    assert told == "interrupted\n"
    before = _done(fleet.inventory)
    assert 4 <= before < 40
    assert fleet.scan().changed == 40 - before
    assert fleet.found() == expected


def test_scheduler_that_is_not_there_is_told_in_words() -> None:
    with pytest.raises(SourceError, match="no scheduler answers"):
        DaskEngine(perform, scheduler=f"tcp://127.0.0.1:{free_port()}", tell=print)
