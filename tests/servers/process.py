"""Start a server as an unprivileged subprocess on a free port, and stop it again."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
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
    for user in (*users, "nobody"):
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    pytest.skip("there is no unprivileged user to run servers as")


def give_to(folder: Path, *users: str) -> None:
    """Let the user of :func:`unprivileged` own ``folder``, and reach it from the root of the file system."""
    if os.geteuid() != 0:
        return
    for user in (*users, "nobody"):
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        break
    for parent in folder.parents:
        if parent.stat().st_uid == 0 and parent != Path("/") and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)


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
