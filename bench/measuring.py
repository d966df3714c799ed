"""What a piece of work took: seconds, processor seconds with all children, and memory."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import psutil

_LOOK = 0.5  # seconds between two looks at the processes
_SUBREAPER = 36  # prctl(2): children of a child that ends become ours, so that their time is counted


class Took(NamedTuple):
    """What was measured."""

    seconds: float
    cpu: float
    client: float = 0.0  # seconds of CPU of the process itself, without its children
    memory: int = 0  # bytes of the largest process
    all_memory: int = 0  # bytes of all processes together


def took(work: Callable[[], object]) -> Took:
    """Measure ``work`` in this process and in children that end within it."""
    start, cpu = time.perf_counter(), _used()
    work()
    return Took(time.perf_counter() - start, _used() - cpu)


def watched(command: Sequence[str], environment: Mapping[str, str], *, ok: Sequence[int] = (0,)) -> Took:
    """Run ``command`` and look at its processes while it runs; fails where it exits with none of ``ok``."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryFile() as log:
        before = _children()  # such as the tracker that multiprocessing leaves: it ends with us, not with the command
        start, cpu = time.perf_counter(), _used()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=log)
        client, memory, together = 0.0, 0, 0
        while True:
            try:
                process.wait(_LOOK)
                break
            except subprocess.TimeoutExpired:
                sizes = _sizes(process.pid)
                memory, together = max(memory, *sizes, 0), max(together, sum(sizes))
                client = _client(process.pid) or client
        seconds = time.perf_counter() - start
        while left := _children() - before:
            for pid in left:
                os.waitpid(pid, 0)
        used = _used() - cpu
        log.seek(0)
        assert process.returncode in ok, log.read()[-2000:].decode()
    return Took(seconds, used, client, memory, together)


def _children() -> set[int]:
    """Give our children, also those that became ours when their parent ended."""
    return {child.pid for child in psutil.Process().children()}


def _used() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _sizes(pid: int) -> list[int]:
    """Give the resident bytes of a process and of all below it."""
    sizes = [0]
    try:
        top = psutil.Process(pid)
        for one in (top, *top.children(recursive=True)):
            sizes.append(one.memory_info().rss)
    except psutil.Error:
        pass
    return sizes


def _client(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
