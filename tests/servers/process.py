"""Start a server as an unprivileged subprocess on a free port, and stop it again."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    """Give a TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(*places: str) -> str:
    """Find the first program that exists among ``places`` (paths); skips the test where there is none."""
    for place in places:
        if Path(place).exists():
            return place
    pytest.skip(f"not installed: {places[0]}")


def unprivileged(*users: str) -> list[str]:
    """Give the command prefix that drops root's rights to the first of ``users`` there is; nothing for others."""
    if os.geteuid() != 0:
        return []
    for user in filter(_exists, (*users, "nobody")):
        entry = pwd.getpwnam(user)
        return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    pytest.skip("there is no unprivileged user to run servers as")


@contextmanager
def server_folder(*users: str) -> Iterator[Path]:
    """Give a new folder that belongs to the user of :func:`unprivileged`; removed at the end.

    Not under pytest's own folder: that one is closed to others, again at every start of another run.
    """
    folder = Path(tempfile.mkdtemp(prefix="hygiene-server-"))
    try:
        user = next((user for user in (*users, "nobody") if _exists(user)), None)
        if os.geteuid() == 0 and user:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    ready: Callable[[], bool],
    seconds: float = 60.0,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` until the block ends; waits until ``ready`` says so, fails with the log's end otherwise."""
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL, env=environment and dict(environment)
        )
    try:
        deadline = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def accepts(port: int) -> Callable[[], bool]:
    """Give a check that something listens on ``port``."""

    def check() -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return check
