"""Runs competitors in turn, in one run, and compares wall time, and processor time with all children.

Ratios are only good within one run on one machine. A peer that is not on PATH is left out, and that is said.
"""

import ctypes
import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
HYGIENE = os.environ.get("HYGIENE", str(HERE / ".venv/bin/hygiene"))
_SUBREAPER = 36  # prctl(2): children of a child that ends become ours, so that their time is counted


def find(name):
    """Give the program of a peer: by the variable NAME in capitals, or on PATH; None where it is not there."""
    return os.environ.get(name.upper()) or shutil.which(name)


def run(command, folder, *, stdin=None):
    """Run ``command``; give wall seconds, processor seconds with all children, and the largest process in MB."""
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        start = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        wall = time.perf_counter() - start
        while True:
            try:
                os.wait()
            except ChildProcessError:
                break
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        Path(f"/tmp/race-{os.getpid()}").write_text(
            f"{wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024} {done.returncode}"
        )
        os._exit(0)
    os.waitpid(pid, 0)
    note = Path(f"/tmp/race-{pid}")
    wall, processor, megabytes, _code = note.read_text().split()
    note.unlink()
    return float(wall), float(processor), float(megabytes)


def best(command, folder, times):
    """Give the best of several runs, each measure by itself; the first run warms caches and does not count."""
    run(command, folder)
    return tuple(min(column) for column in zip(*(run(command, folder) for _ in range(times)), strict=True))


def table(rows, ours, promises):
    """Print ``rows`` (name → measures) as ratios to ``ours``; give the exit code: 1 where a promise is missed.

    ``promises``: name → how many times faster than it we are to be.
    """
    print(f"{'':32} {'wall s':>9} {'cpu s':>9} {'MB':>6} {'times ours, wall':>17} {'cpu':>6}  promised")
    missed = False
    for name, (wall, processor, megabytes) in rows.items():
        faster = wall / rows[ours][0], processor / max(rows[ours][1], 0.001)
        promise = promises.get(name)
        word = "" if promise is None else f"{promise:g}: {'kept' if faster[0] >= promise else 'MISSED'}"
        missed |= word.endswith("MISSED")
        print(f"{name:32} {wall:9.3f} {processor:9.3f} {megabytes:6.0f} {faster[0]:17.2f} {faster[1]:6.2f}  {word}")
    return int(missed)
