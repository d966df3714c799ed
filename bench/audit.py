#!/usr/bin/env python3
"""Time the audit log: verifying a million entries, and an append beside a bare write with fsync in the same run.

usage: bench/audit.py [--entries N]

Printed: seconds to verify N entries (default 1,000,000) and what one SHA-256 pass over the same bytes takes; the
milliseconds of an append, and of a write of the same size with fsync to the same file system.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from pathlib import Path

from hygiene.prove.chain import Deed, Head, entry_after
from hygiene.prove.event import Actor
from hygiene.prove.files import chain_lines, segment_path
from hygiene.prove.log import SEGMENT_BYTES, Log
from hygiene.prove.state import State, create_state
from hygiene.prove.verify import verify_folder

LOG = "ab" * 32
ACTOR = {"user": "ada", "git": "Ada Lovelace <ada@example.org>", "host": "box"}
APPENDS = 300


def write_log(folder: Path, entries: int) -> None:
    """Write a sound log of ``entries`` entries, as the writer would in the course of years."""
    head = Head(LOG, 0, LOG, "", "", b"k" * 32)
    segment, stream = 1, segment_path(folder, LOG, 1).open("wb")
    for number in range(entries):
        intent = number % 2 == 0
        detail = {"stage": "current"} if intent else {"intent": str(number)}
        deed = Deed("secret.get", f"ref+embedded://shop/db-{number % 997}", "intent" if intent else "ok", detail)
        line, _, head = entry_after(head, deed, time="2026-11-24T10:00:00.000Z", actor=ACTOR)
        if stream.tell() + len(line) > SEGMENT_BYTES:
            stream.close()
            segment, stream = segment + 1, segment_path(folder, LOG, segment + 1).open("wb")
        stream.write(line + b"\n")
    size = stream.tell()
    stream.close()
    create_state(folder / f"{LOG[:16]}.state", State(head, segment, size))


def timed_verification(folder: Path) -> None:
    """Print how long ``audit verify`` takes over ``folder``, and the least that any verifier could take."""
    started, worked = time.perf_counter(), os.times()
    (verdict,) = verify_folder(folder)
    took, done = time.perf_counter() - started, os.times()
    work = sum(done[:4]) - sum(worked[:4])  # with the processes that it started
    assert not verdict.problems
    started = time.perf_counter()
    size = 0
    for line, _ in chain_lines(sorted(folder.glob("*.jsonl"))):
        hashlib.sha256(line).digest()
        size += len(line)
    floor = time.perf_counter() - started
    told = f"verify {verdict.entries:,} entries ({size / 1e6:.0f} MB): {took:.1f} s, {work:.1f} s of them at work"
    print(f"{told}; hashing its lines alone {floor:.1f} s")


def timed_append(folder: Path) -> None:
    """Print the time of an append, and of a bare write with fsync of as many bytes."""
    log = Log(folder / "audit", Actor("ada", "Ada Lovelace <ada@example.org>", host="box"))
    size = len(str(log.record("secret.get", "ref+embedded://shop/db", "ok", stage="current")))
    started = time.perf_counter()
    for _ in range(APPENDS):
        log.record("secret.get", "ref+embedded://shop/db", "ok", stage="current")
    append = (time.perf_counter() - started) / APPENDS
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    started = time.perf_counter()
    for _ in range(APPENDS):
        os.write(descriptor, b"x" * size)
        os.fsync(descriptor)
    bare = (time.perf_counter() - started) / APPENDS
    os.close(descriptor)
    print(f"append {append * 1e3:.2f} ms; a bare write with fsync {bare * 1e3:.2f} ms; {append / bare:.1f} times")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries = parser.parse_args().entries
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timed_append(folder)
        (folder / "log").mkdir()
        write_log(folder / "log", entries)
        timed_verification(folder / "log")


if __name__ == "__main__":
    main()
