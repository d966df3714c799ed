"""Worker processes over items: each reads, matches and filters; the parent hands out chunks and merges.

A worker is a fork, so that sharing the engine's database and the source costs nothing. It says which item it is at in
a page of shared memory: when the system kills it, the parent knows where, and tries again around that place; what kills
a second worker is reported as skipped. Frames on the pipes are a length and a marshalled value.
"""

from __future__ import annotations

import contextlib
import marshal
import mmap
import os
import select
import signal
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from hygiene.detect.backlog import Backlog, Chunk
from hygiene.detect.examine import Examiner
from hygiene.detect.match import Hit
from hygiene.detect.sources.protocol import Blob, Item, Source
from hygiene.errors import HygieneError, SourceError
from hygiene.finding import Skipped

_REPORT_EVERY = 0.2  # seconds between two frames of a worker
_NUMBER = struct.Struct("<Q")


class Outcome:
    """What the workers have found so far."""

    def __init__(self) -> None:
        self.hits: dict[tuple[str, int, int, int], Hit] = {}
        self.skipped: list[Skipped] = []
        self.blobs = 0
        self.bytes = 0
        self.interrupted = False
        self.backlog = Backlog(())

    def add(self, hits: Iterable[Hit]) -> None:
        """Add ``hits``; one that a second try gives again counts once."""
        for hit in hits:
            self.hits[hit.blob, hit.start, hit.end, hit.rule] = hit


Report = Callable[[Outcome], None]


def run(source: Source, items: Iterable[Item], examiner: Examiner, jobs: int, report: Report | None = None) -> Outcome:
    """Examine ``items`` of ``source`` with at most ``jobs`` processes; ``report`` is told of progress.

    An interrupt (Ctrl-C) ends the work early: the outcome then says so, and holds what was found. Raises SourceError
    where the source can't be read at all.
    """
    outcome = Outcome()
    tell = report or (lambda _outcome: None)
    backlog = outcome.backlog = Backlog(items)
    try:
        if jobs <= 1 or backlog.are_few():
            for chunk in backlog.chunks():
                _inline(source, examiner, chunk, outcome, tell)
        else:
            _Pool(source, examiner, jobs, outcome, tell).run(backlog)
    except KeyboardInterrupt:
        outcome.interrupted = True
    outcome.skipped += source.skipped()
    return outcome


def usable_cores(groups: Path = Path("/sys/fs/cgroup"), mine: Path = Path("/proc/self/cgroup")) -> int:
    """Count the cores that this process may use: its CPU affinity, and the quotas of its control groups."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, *_quotas(groups, mine), cores))


def _quotas(groups: Path, mine: Path) -> Iterator[int]:
    """Give the cores (rounded up) of each limit on the way from this process' control group up; cgroups(7)."""
    try:
        rows = [row.split(":", 2) for row in mine.read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        rows = []
    for _, names, place in [*(row for row in rows if len(row) == 3), ("", "", "/"), ("", "cpu", "/")]:
        if names in ("", "cpu", "cpu,cpuacct"):
            top = groups / names if names else groups
            folder = top / place.lstrip("/")
            for group in (folder, *folder.parents):
                if group.is_relative_to(top) and (cores := _quota(group)):
                    yield cores


def _quota(group: Path) -> int:
    """Give the cores that one group may use, 0 for no limit: version 2, or version 1."""
    try:
        quota, period = (group / "cpu.max").read_text().split()[:2]
    except (OSError, ValueError):
        try:
            quota = (group / "cpu.cfs_quota_us").read_text().strip()
            period = (group / "cpu.cfs_period_us").read_text().strip()
        except (OSError, ValueError):
            return 0
    return -(-int(quota) // int(period)) if quota.isdigit() and period.isdigit() and int(period) else 0


def _inline(source: Source, examiner: Examiner, chunk: Chunk, outcome: Outcome, tell: Report) -> None:
    def counted() -> Iterator[Blob]:
        for blob in source.read(chunk.items):
            outcome.blobs += not blob.start
            outcome.bytes += len(blob.data)
            yield blob
            tell(outcome)

    for hit in examiner.examine_all(counted()):
        outcome.add((hit,))
    outcome.skipped += source.skipped()
    tell(outcome)


class _Place:
    """Where in its chunk a worker is: a number in shared memory, which outlives the worker."""

    def __init__(self, memory: mmap.mmap, slot: int) -> None:
        self._memory = memory
        self.slot = slot

    def write(self, index: int) -> None:
        _NUMBER.pack_into(self._memory, self.slot * _NUMBER.size, index)

    def read(self) -> int:
        (index,) = _NUMBER.unpack_from(self._memory, self.slot * _NUMBER.size)
        return int(index)


class _Worker:
    """The parent's end of one worker."""

    def __init__(self, pid: int, tasks: int, results: int, place: _Place) -> None:
        self.pid = pid
        self.tasks = tasks
        self.results = results
        self.place = place
        self.chunk: Chunk | None = None

    def give(self, chunk: Chunk) -> None:
        self.chunk = chunk
        with contextlib.suppress(BrokenPipeError):  # it has died: the end of its results will say so
            _send(self.tasks, [tuple(item) for item in chunk.items])

    def close(self) -> int:
        """Give the signal that ended the worker, or 0."""
        os.close(self.tasks)
        os.close(self.results)
        _pid, status = os.waitpid(self.pid, 0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


class _Pool:
    """Hands out chunks to workers until there are none."""

    def __init__(self, source: Source, examiner: Examiner, jobs: int, outcome: Outcome, tell: Report) -> None:
        self._source = source
        self._examiner = examiner
        self._jobs = jobs
        self._outcome = outcome
        self._tell = tell
        self._places = mmap.mmap(-1, jobs * _NUMBER.size)
        self._workers: dict[int, _Worker] = {}  # by the file descriptor of its results
        self._again: deque[Chunk] = deque()

    def run(self, backlog: Backlog) -> None:
        try:
            self._loop(backlog)
        finally:
            for worker in self._workers.values():
                if worker.chunk is not None:
                    os.kill(worker.pid, signal.SIGKILL)
                worker.close()

    def _loop(self, backlog: Backlog) -> None:
        while True:
            while len(self._workers) < self._jobs and (chunk := self._next(backlog)):
                self._start().give(chunk)
            busy = [worker.results for worker in self._workers.values() if worker.chunk is not None]
            if not busy:
                return
            patience = 0 if backlog.list_more() else _REPORT_EVERY
            for results in select.select(busy, [], [], patience)[0]:
                self._hear(self._workers[results], backlog)
            self._tell(self._outcome)

    def _next(self, backlog: Backlog) -> Chunk | None:
        return self._again.popleft() if self._again else backlog.chunk(self._jobs)

    def _hear(self, worker: _Worker, backlog: Backlog) -> None:
        frame = _receive(worker.results)
        if frame is None:
            self._bury(worker)
            return
        blobs, size, hits, end = frame
        self._outcome.blobs += blobs
        self._outcome.bytes += size
        self._outcome.add(Hit(*hit) for hit in hits)
        if end is None:
            return
        kind, facts = end
        if kind == "error":
            raise SourceError(facts[0], hint=facts[1])
        self._outcome.skipped += [Skipped(*skip) for skip in facts]
        worker.chunk = None
        if chunk := self._next(backlog):
            worker.give(chunk)

    def _bury(self, worker: _Worker) -> None:
        """Take a dead worker's chunk apart around the item that it died of."""
        del self._workers[worker.results]
        at = worker.place.read()
        killer = worker.close()
        chunk = worker.chunk
        if chunk is None:
            return
        cause = f"signal {signal.Signals(killer).name}" if killer else "an internal error"
        suspects = chunk.items[at : at + 2]  # the one that it read last, and the one that it was reading
        if chunk.tried and len(chunk.items) == 1:
            item = chunk.items[0]
            self._outcome.skipped.append(Skipped(item.path or item.id, f"twice a worker was ended by {cause} here"))
            return
        parts = (chunk.items[:at], chunk.items[at + 2 :])
        self._again += [Chunk(part) for part in parts if part]
        self._again += [Chunk((item,), tried=True) for item in suspects]

    def _start(self) -> _Worker:
        tasks_out, tasks_in = os.pipe()
        results_out, results_in = os.pipe()
        taken = {worker.place.slot for worker in self._workers.values()}
        place = _Place(self._places, min(set(range(self._jobs)) - taken))
        pid = os.fork()
        if pid == 0:
            for other in self._workers.values():  # so that a worker's pipe ends with the parent, not with a sibling
                os.close(other.tasks)
                os.close(other.results)
            os.close(tasks_in)
            os.close(results_out)
            _work(_Bench(self._source, self._examiner, place), tasks_out, results_in)
        os.close(tasks_out)
        os.close(results_in)
        worker = self._workers[results_out] = _Worker(pid, tasks_in, results_out, place)
        return worker


class _Bench(NamedTuple):
    """What a worker works with."""

    source: Source
    examiner: Examiner
    place: _Place


def _work(bench: _Bench, tasks: int, results: int) -> NoReturn:
    """Be a worker, until there are no tasks or no parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = 1
    try:
        while (rows := _receive(tasks)) is not None:
            _Task(bench, [Item(*row) for row in rows], results).run()
        code = 0
    finally:
        os._exit(code)  # nothing of the parent's is flushed or cleaned up twice


class _Task:
    """One chunk, in a worker."""

    def __init__(self, bench: _Bench, items: list[Item], results: int) -> None:
        self._bench = bench
        self._items = items
        self._results = results
        self._blobs = 0
        self._bytes = 0
        self._due = time.monotonic() + _REPORT_EVERY
        self._hits: list[Hit] = []

    def run(self) -> None:
        try:
            for hit in self._bench.examiner.examine_all(self._counted()):
                self._hits.append(hit)
            end: tuple[str, Any] = ("done", [tuple(skip) for skip in self._bench.source.skipped()])
        except HygieneError as error:
            end = ("error", (error.message, error.hint))
        self._report(end)

    def _counted(self) -> Iterator[Blob]:
        at = 0
        self._bench.place.write(at)
        for blob in self._bench.source.read(self._items):
            while at < len(self._items) - 1 and self._items[at].id != blob.id:
                at += 1
            self._bench.place.write(at)
            self._blobs += not blob.start
            self._bytes += len(blob.data)
            yield blob
            if time.monotonic() > self._due:
                self._report(None)

    def _report(self, end: tuple[str, Any] | None) -> None:
        _send(self._results, (self._blobs, self._bytes, [tuple(hit) for hit in self._hits], end))
        self._blobs = self._bytes = 0
        self._hits.clear()
        self._due = time.monotonic() + _REPORT_EVERY


def _send(descriptor: int, value: Any) -> None:
    body = marshal.dumps(value)
    view = memoryview(_NUMBER.pack(len(body)) + body)
    while view:
        view = view[os.write(descriptor, view) :]


def _receive(descriptor: int) -> Any:
    """Give the next value, or None where the other end is gone."""
    head = _read(descriptor, _NUMBER.size)
    if head is None:
        return None
    body = _read(descriptor, _NUMBER.unpack(head)[0])
    return None if body is None else marshal.loads(body)  # noqa: S302 (from a fork of ourselves)


def _read(descriptor: int, size: int) -> bytes | None:
    parts = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
