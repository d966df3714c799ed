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
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from hygiene.cli.fleetwork import perform
from hygiene.errors import SourceError
from hygiene.fleet import planning
from hygiene.fleet.engines.dask import DaskEngine
from hygiene.fleet.engines.protocol import Batch
from hygiene.fleet.inventory.models import DONE, Exposure, Finding, Run, Task
from hygiene.fleet.inventory.opening import Inventory, database_url, open_inventory
from hygiene.fleet.running import Tally
from hygiene.fleet.tasks import Outcome
from tests.fleet.fleet import Fleet, generate, single_scans
from tests.servers.postgres import postgres
from tests.servers.process import accepts, free_port, running

pytestmark = pytest.mark.slow


def slowly(batch: Batch) -> list[Outcome]:
    """Work, but so that there is time to be killed."""
    time.sleep(0.3)
    return perform(batch)


@contextmanager
def scheduler(port: int, log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port),
               "--no-dashboard"]  # fmt: skip
    with running(command, log=log, ready=accepts(port)):
        yield


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


def _make(fleet: Fleet, count: int = 40) -> set[object]:
    made = generate(fleet.folder, [f"r{number:03}" for number in range(count)])
    fleet.add()
    return set(single_scans([one.folder for one in made], fleet.key))


def test_two_workers_give_the_union_of_single_scans_also_in_parts(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SPLIT_BYTES", 2000)
    expected = _make(fleet, 12)
    engine = DaskEngine(perform, scheduler="", workers=2, tell=fleet.told.append)
    assert engine.link.startswith("http://127.0.0.1:")
    tally = fleet.scan(engine)
    assert tally.failed == ()
    assert fleet.found() == expected


def test_worker_killed_while_it_works_is_replaced_and_nothing_is_lost_or_twice(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH_UNITS", 4)
    expected = _make(fleet)
    engine = DaskEngine(slowly, scheduler="", workers=2, tell=fleet.told.append)
    killed: list[int] = []

    def kill() -> None:
        victims = [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
        victims[-1].kill()
        killed.append(victims[-1].pid)

    thread = _after(lambda: _done(fleet.inventory) >= 8, kill)
    tally = fleet.scan(engine)
    thread.join()
    assert killed
    assert tally.failed == ()
    assert fleet.found() == expected
    assert _counts(fleet.inventory)[1] == len(expected)


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
        engine = DaskEngine(slowly, scheduler=f"tcp://127.0.0.1:{port}", workers=2, tell=fleet.told.append)

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


def test_database_gone_for_thirty_seconds_ends_with_the_same_inventory(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = _make(fleet, 30)
    with postgres(secrets.token_hex(16)) as server:
        monkeypatch.setenv("HYGIENE_FLEET_DATABASE", server.admin)
        told: list[str] = []
        inventory = open_inventory(database_url(), told=told.append)
        there = Fleet(inventory, fleet.folder, fleet.folder / "mirrors")
        there.add()
        [main] = [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] == "postgres" and str(server.port) in (process.info["cmdline"] or [])
        ]

        def stop() -> None:
            # Connections are cut and none is taken: a proxy that is down. The processes are ours.
            for child in main.children():
                if f"127.0.0.1({server.port}" in " ".join(child.cmdline()) or "admin shop" in " ".join(child.cmdline()):
                    child.terminate()
            main.suspend()
            time.sleep(30)
            main.resume()

        thread = _after(lambda: _done(inventory) >= 3, stop)
        start = time.monotonic()
        tally = there.scan()
        thread.join()
        print(f"took {time.monotonic() - start:.0f} s, told {told}")
        assert tally.failed == ()
        assert there.found() == expected
        assert _counts(inventory)[1] == len(expected)
        inventory.close()


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


def test_run_interrupted_with_all_its_workers_ends_without_their_tracebacks_and_is_resumed(
    fleet: Fleet, tmp_path: Path
) -> None:
    expected = _make(fleet)
    script = tmp_path / "run.py"
    script.write_text(
        "from pathlib import Path; from tests.fleet.fleet import Fleet; from tests.fleet.test_engine import slowly\n"
        "from hygiene.fleet import planning; from hygiene.fleet.engines.dask import DaskEngine\n"
        "from hygiene.fleet.inventory.opening import database_url, open_inventory\n"
        "if __name__ == '__main__':\n"
        "    planning.BATCH_UNITS = 4\n"
        f"    url = database_url({fleet.inventory.engine.url.render_as_string()!r})\n"
        f"    fleet = Fleet(open_inventory(url), Path({str(fleet.folder)!r}), Path('/nowhere'))\n"
        "    engine = DaskEngine(slowly, scheduler='', workers=2, tell=print)\n"
        "    try: fleet.scan(engine)\n"
        "    except KeyboardInterrupt: print('interrupted')\n"
    )
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    _after(lambda: _done(fleet.inventory) >= 4, lambda: os.killpg(process.pid, signal.SIGINT)).join()
    told, _ = process.communicate(timeout=60)
    assert told == "interrupted\n"
    before = _done(fleet.inventory)
    assert 4 <= before < 40
    assert fleet.scan().changed == 40 - before
    assert fleet.found() == expected


def test_scheduler_that_is_not_there_is_told_in_words() -> None:
    with pytest.raises(SourceError, match="no scheduler answers"):
        DaskEngine(perform, scheduler=f"tcp://127.0.0.1:{free_port()}", workers=1, tell=print)
