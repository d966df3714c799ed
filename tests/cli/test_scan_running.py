"""A scan under way: what a terminal shows, and what Ctrl-C leaves of it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys

import pytest

from tests.e2e.credentials import Forge
from tests.repository import Repository

LARGE = 6 << 30  # bytes of a hole: read as fast as memory, and still for seconds
ENOUGH = 1 << 30  # bytes that take more than half a second
PATIENCE = 240


@pytest.fixture
def folder(tmp_path):
    """A folder with a leak, enough for a first chunk, and then what takes long."""
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "a.py").write_text(f'token = "{Forge(5).github()}"\n')
    (folder / "b").write_bytes(b"text\n" * (2 << 20))
    with (folder / "large").open("wb") as file:
        file.truncate(LARGE)
    return folder


def start(folder, *arguments, **options):
    environment = {**os.environ, "HYGIENE_HOME": str(folder.parent / "home"), **options.pop("environment", {})}
    command = [sys.executable, "-m", "hygiene", "scan", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **options)


def shown_on(terminal, until=None):
    """Give what comes on ``terminal`` until it holds ``until``, or its other end is closed."""
    shown = b""
    while (until is None or until not in shown) and select.select([terminal], [], [], PATIENCE)[0]:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_scan_interrupted_gives_what_was_found_and_leaves_no_process(folder, jobs):
    ours, theirs = pty.openpty()
    environment = {"TERM": "xterm", "CI": ""}
    arguments = ("--jobs", jobs, "--format", "json")
    process = start(folder, *arguments, stdout=subprocess.PIPE, stderr=theirs, environment=environment)
    os.close(theirs)
    assert b"1 hits" in shown_on(ours, until=b"1 hits")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert [finding["path"] for finding in json.loads(out)["findings"]] == ["a.py"]
    assert b"Traceback" not in shown_on(ours)
    os.close(ours)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment", [{"TERM": "xterm", "CI": ""}, {"TERM": "xterm", "CI": "true"}, {"TERM": "dumb"}]
)
def test_scan_shows_progress_on_a_terminal_only(folder, environment):
    with (folder / "large").open("r+b") as file:
        file.truncate(ENOUGH)
    ours, theirs = pty.openpty()
    process = start(folder, "--jobs", "2", stdout=subprocess.DEVNULL, stderr=theirs, environment=environment)
    os.close(theirs)
    shown = shown_on(ours)
    assert process.wait(timeout=PATIENCE) == 1
    os.close(ours)
    if environment["TERM"] == "dumb" or environment["CI"]:
        assert shown == b""
    else:
        assert b" blobs, " in shown
        assert b" MB/s, 1 hits" in shown
        assert shown.endswith(b"\r\x1b[K")  # nothing is left of it


@pytest.fixture
def shallow(tmp_path):
    repository = Repository(tmp_path / "repository")
    for number in range(4):
        repository.commit(f"commit {number}", **{f"f{number}": b"text %d" % number})
    repository.git("clone", "-q", "--depth=2", f"file://{repository.folder}", str(tmp_path / "clone"))
    return tmp_path / "clone"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--range", "HEAD~1..HEAD"), 0, ""),
        (("--since", "HEAD~1"), 0, ""),
        (("--history",), 4, "shallow"),
        (("--range", "HEAD~3..HEAD"), 4, "no such commit"),
        (("--since", "HEAD~2"), 4, "no such commit"),
    ],
)
def test_scan_of_a_shallow_clone_says_what_it_can_not_know(shallow, arguments, code, told):
    process = start(shallow, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told in out.decode()) == (code, True), out.decode()


def test_scan_unreachable_finds_what_no_ref_holds(tmp_path):
    repository = Repository(tmp_path / "repository")
    repository.commit(a=b"text\n")
    repository.git("hash-object", "-w", "--stdin", stdin=f'token = "{Forge(6).github()}"\n'.encode())
    for arguments, code in ((("--history",), 0), (("--history", "--unreachable"), 1)):
        process = start(repository.folder, *arguments, stdout=subprocess.DEVNULL)
        assert process.wait(timeout=PATIENCE) == code
