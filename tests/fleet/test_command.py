"""``hygiene fleet scan`` as a person runs it: in a terminal, interrupted, on a scheduler, and mistaken."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hygiene.cli.boundary import run as hygiene
from hygiene.errors import ExitCode
from tests.fleet.fleet import Fleet, Found, generate, single_scans
from tests.fleet.test_engine import scheduler, workers
from tests.servers.process import free_port

_SCAN = [sys.executable, "-m", "hygiene", "fleet", "scan"]


@pytest.fixture
def here(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Give a fleet whose inventory is the one of the command line."""
    monkeypatch.setenv("HYGIENE_FLEET_DATABASE", fleet.inventory.engine.url.render_as_string())
    return fleet


def _make(here: Fleet, count: int) -> set[Found]:
    made = generate(here.folder, [f"r{number:03}" for number in range(count)])
    assert hygiene(["fleet", "add", str(here.folder)]) == 0
    return {one._replace(fingerprint="") for one in single_scans([one.folder for one in made], here.key)}


def _found(here: Fleet) -> set[Found]:
    return {one._replace(fingerprint="") for one in here.found()}  # made under the user's key


def _in_terminal(command: list[str], seen: Callable[[str, subprocess.Popen[bytes]], None]) -> tuple[int, str]:
    """Run ``command`` in a terminal of its own; ``seen`` is given what it has shown so far."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    told = ""
    try:
        while True:
            told += os.read(ours, 4096).decode()
            seen(told, process)
    except OSError:  # the terminal's other end is closed
        pass
    os.close(ours)
    return process.wait(60), told


def test_scan_in_a_terminal_shows_how_far_it_is(here: Fleet) -> None:
    expected = _make(here, 12)
    code, told = _in_terminal([*_SCAN, "--workers", "2"], lambda _told, _process: None)
    assert code == ExitCode.FINDINGS
    assert "hygiene: 0 of 12 changed repositories scanned" in told
    assert "hygiene: 12 of 12 changed repositories scanned\r\n" in told
    assert _found(here) == expected


def test_interrupted_scan_keeps_what_is_done_and_says_so(here: Fleet) -> None:
    expected = _make(here, 60)
    sent: list[float] = []

    def interrupt(told: str, process: subprocess.Popen[bytes]) -> None:
        if not sent and re.search(r"\b[1-9]\d* of 60 changed", told):
            sent.append(time.monotonic())
            os.killpg(process.pid, signal.SIGINT)

    code, told = _in_terminal([*_SCAN, "--workers", "2"], interrupt)
    assert sent
    assert time.monotonic() - sent[0] < 10
    assert code == ExitCode.INTERRUPTED
    assert told.endswith(
        "scanned\r\nhygiene: what was finished is kept: scan again to go on\r\n\r\nhygiene: interrupted\r\n"
    )
    done = subprocess.run(_SCAN, capture_output=True, text=True)
    assert done.returncode == ExitCode.FINDINGS
    assert 0 < int(re.findall(r"60 repositories, (\d+) changed, 0 failed", done.stdout)[0]) < 60
    assert _found(here) == expected


@pytest.mark.slow
def test_scan_on_a_scheduler_gives_what_single_scans_give(here: Fleet, tmp_path: Path) -> None:
    expected = _make(here, 12)
    port = free_port()
    (tmp_path / "workers").mkdir()
    with scheduler(port, tmp_path / "log"), workers(port, tmp_path / "workers"):
        done = subprocess.run([*_SCAN, "--scheduler", f"tcp://127.0.0.1:{port}"], capture_output=True, text=True)
    assert done.returncode == ExitCode.FINDINGS, done.stderr
    assert f"tcp://127.0.0.1:{port}" in done.stderr
    assert _found(here) == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scheduler", "nonsense"], "no scheduler can be reached at nonsense"),
        (["--scheduler", "tls://127.0.0.1:9"], "no scheduler can be reached at tls"),
        (["--scheduler", "tcp://127.0.0.1:9", "--workers", "2"], "--scheduler goes without --workers"),
        (["--queued", "r000"], "--queued goes without names"),
        (["r000", "nowhere"], "there is no repository nowhere"),
        (["--config", "nowhere.toml"], "there is no configuration"),
    ],
)
def test_mistaken_scan_is_told_before_anything_is_done(
    here: Fleet, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    _make(here, 1)
    capsys.readouterr()
    assert hygiene(["fleet", "scan", *options]) in (ExitCode.USAGE, ExitCode.CONFIG)
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert here.found() == set()


def test_removed_source_is_forgotten_with_its_findings_and_found_again_by_another(
    here: Fleet, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    expected = _make(here, 3)
    [other] = generate(tmp_path / "elsewhere", ["other"], 5)
    (tmp_path / "list.txt").write_text(f"{here.folder / 'r001'}\nfile://{other.folder}\n")
    assert hygiene(["fleet", "add", str(tmp_path / "list.txt")]) == 0
    assert hygiene(["fleet", "scan"]) == ExitCode.FINDINGS
    assert len(_found(here)) == len(expected) + 2
    [mirror] = (tmp_path / "home/fleet/mirrors").iterdir()

    assert hygiene(["fleet", "remove", str(here.folder)]) == 0
    assert {one.repository for one in _found(here)} == {str(mirror)}
    capsys.readouterr()
    assert hygiene(["fleet", "report"]) == 0
    assert capsys.readouterr().out.startswith("1 repositories; 2 secrets leaked in 2 places")
    assert (here.folder / "r000").is_dir()
    assert hygiene(["fleet", "scan"]) == ExitCode.FINDINGS  # the list has one of them, too
    assert {one for one in _found(here) if one.repository != str(mirror)} == {
        one for one in expected if one.repository.endswith("r001")
    }

    (tmp_path / "list.txt").unlink()
    assert hygiene(["fleet", "scan"]) == ExitCode.INCOMPLETE
    assert hygiene(["fleet", "remove", str(tmp_path / "list.txt")]) == 0
    assert here.found() == set()
    assert not mirror.exists()
    assert hygiene(["fleet", "remove", str(tmp_path / "list.txt")]) == ExitCode.USAGE
