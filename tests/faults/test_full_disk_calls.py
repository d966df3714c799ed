"""Every single call that a full disk can fail, failed: one after the other, by strace, in a real ``secret put``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]
# What the kernel answers "no space left" to, when a secret is put and its audit is written.
CALLS = ("write", "pwrite64", "fsync", "fdatasync", "rename", "link", "mkdir")
MOST = 400


class Disk:
    """A home with one secret, and commands whose n-th call of a kind finds the disk full."""

    def __init__(self, folder: Path) -> None:
        self.home, self.trace = folder / "home", folder / "trace"
        self.environment = {**os.environ, "HYGIENE_HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1"}
        for name in ("HYGIENE_IDENTITY", "HYGIENE_IDENTITY_KEY"):
            self.environment.pop(name, None)

    def run(self, *arguments: str, stdin: bytes = b"", full: str = "") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "hygiene", *arguments]
        if full:
            command = ["strace", "-f", "-qq", "-o", str(self.trace), "-e", f"inject={full}", *command]
        return subprocess.run(command, input=stdin, capture_output=True, env=self.environment, timeout=120)

    @property
    def was_full(self) -> bool:
        return "(INJECTED)" in self.trace.read_text()


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


@pytest.mark.parametrize("call", CALLS)
def test_call_that_finds_the_disk_full_is_a_clear_error_and_the_old_value_is_readable(disk, call):
    assert disk.run("secret", "put", "a", stdin=b"value 0").returncode == 0
    current, failed = b"value 0", 0
    for number in range(1, MOST):
        new = b"value %d" % number
        done = disk.run("secret", "put", "a", stdin=new, full=f"{call}:error=ENOSPC:when={number}")
        if not disk.was_full:
            break
        assert b"Traceback" not in done.stderr and b"internal error" not in done.stderr, (number, done.stderr)
        assert done.returncode in (0, 5, 6), (number, done.stderr)
        if done.returncode:
            failed += 1
            # What the disk refuses to take even of the message is not there to be read.
            assert b"full" in done.stderr or call == "write", (number, done.stderr)
        read = disk.run("secret", "get", "a")
        assert read.returncode == 0, (number, read.stderr)
        assert read.stdout == new if done.returncode == 0 else read.stdout in (current, new), number
        current = read.stdout
        verified = disk.run("audit", "verify")
        assert verified.returncode == 0, (number, verified.stdout)
    else:
        pytest.fail(f"more than {MOST} calls of {call}")
    print(f"{call}: {number - 1} calls, {failed} of them refused the command")
    assert number > 1 or call in ("fdatasync", "pwrite64", "link", "mkdir")
