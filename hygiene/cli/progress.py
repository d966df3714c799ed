"""The line on a terminal that says how far a scan is; nothing in CI or in a pipe."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from hygiene.detect.workers import Outcome, Report

_EVERY = 0.2  # seconds
_PATIENCE = 0.5  # seconds before the first line: a short scan shows none
_ERASE = "\r\x1b[K"


@contextmanager
def progress(stream: TextIO) -> Iterator[Report | None]:
    """Give what shows progress on ``stream``, or None where nobody watches; cleans up after itself."""
    if not stream.isatty() or os.environ.get("CI") or os.environ.get("TERM", "dumb") == "dumb":
        yield None
        return
    line = _Line(stream)
    try:
        yield line.show
    finally:
        line.erase()


class _Line:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._start = time.monotonic()
        self._next = self._start + _PATIENCE
        self._shown = False

    def show(self, outcome: Outcome) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY
        self._shown = True
        self._stream.write(_ERASE + describe(outcome, now - self._start))
        self._stream.flush()

    def erase(self) -> None:
        if self._shown:
            self._stream.write(_ERASE)
            self._stream.flush()


def describe(outcome: Outcome, seconds: float) -> str:
    """Say how far ``outcome`` is after ``seconds``: blobs, speed, hits, time left."""
    rate = outcome.bytes / seconds if seconds else 0.0
    parts = [f"{outcome.blobs:,} blobs", f"{rate / 1e6:.0f} MB/s", f"{len(outcome.hits)} hits"]
    if outcome.backlog.done and rate and outcome.backlog.bytes > outcome.bytes:
        parts.append(f"{(outcome.backlog.bytes - outcome.bytes) / rate:.0f} s left")
    return ", ".join(parts)
