"""Processes of this machine: forks of this one, which have all that it has imported and loaded, and share it.

A worker that dies is replaced. What it had not given back is tried again, each repository alone, so that only the one
that it died of is given up. This process hands out one batch a worker, gives what came of it, and keeps no threads.
"""

from __future__ import annotations

import gc
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from hygiene.errors import SourceError
from hygiene.fleet.engines.protocol import Batch, Perform
from hygiene.fleet.tasks import Outcome, Unit

_DEATHS = 3  # workers that a unit may take with it
_SECONDS = 2.0  # of work that is given back, and so written, together
_PATIENCE = 2.0  # seconds in which a worker that was told to end does so


class ProcessEngine:
    """Batches on forks of this process."""

    link = ""

    def __init__(self, perform: Perform, *, workers: int) -> None:
        """Work with ``workers`` processes; each starts when there is something for it."""
        self.name = f"{workers} local workers"
        self.workers = workers
        self._perform = perform
        self._team: list[_Worker] = []
        self._waiting: deque[Batch] = deque()
        self._deaths: dict[Unit, int] = {}

    def room(self) -> int:
        """Say how many batches it takes: two a worker, so that none waits while results are written."""
        return max(0, 2 * self.workers - len(self._waiting) - sum(worker.batch is not None for worker in self._team))

    def busy(self) -> bool:
        """Say whether something has not come back."""
        return bool(self._waiting) or any(worker.batch is not None for worker in self._team)

    def submit(self, batch: Batch) -> None:
        """Take ``batch``. Raises :class:`SourceError` where no process can be started."""
        self._waiting.append(batch)
        self._hand_out()

    def done(self) -> Iterator[list[Outcome]]:
        """Wait for outcomes, and give them; a batch may come back in pieces."""
        while self.busy():
            self._hand_out()
            busy = {worker.pipe: worker for worker in self._team if worker.batch is not None}
            heard = [outcomes for pipe in wait(list(busy)) if (outcomes := self._hear(busy[pipe]))]  # type: ignore[index]
            self._hand_out()  # before the outcomes are written
            if heard:
                yield from heard
                return

    def close(self, *, cancel: bool = False) -> None:
        """End all workers; what one is doing is given up."""
        for worker in self._team:
            worker.end()
        self._team = []

    def _hand_out(self) -> None:
        idle = [worker for worker in self._team if worker.batch is None]
        while self._waiting and (idle or len(self._team) < self.workers):
            worker = idle.pop() if idle else self._start()
            if worker is None:
                return
            worker.give(self._waiting.popleft())

    def _start(self) -> _Worker | None:
        try:
            worker = _Worker(self._perform, [other.pipe for other in self._team])
        except OSError as error:
            if self._team:
                return None  # it goes on with those that there are
            raise SourceError(f"no worker can be started: {error.strerror}", hint="--workers 1 needs none") from error
        self._team.append(worker)
        return worker

    def _hear(self, worker: _Worker) -> list[Outcome]:
        """Give what ``worker`` has sent; from one that died, what is given up."""
        try:
            return worker.hear()
        except (EOFError, OSError):
            self._team.remove(worker)
            worker.end()
            return list(self._tried_again(worker.batch))

    def _tried_again(self, batch: Batch | None) -> Iterator[Outcome]:
        for unit in batch.units if batch else ():
            deaths = self._deaths[unit] = self._deaths.get(unit, 0) + 1
            if batch and deaths < _DEATHS:
                self._waiting.append(batch._replace(units=(unit,)))
            else:
                yield Outcome(unit, problem=f"{deaths} workers died of it")


class _Worker:
    """A process, and the pipe to it."""

    def __init__(self, perform: Perform, others: list[Connection]) -> None:
        context = get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.batch: Batch | None = None  # what has not come back of what it was given
        self._process: BaseProcess = context.Process(
            target=_work, args=(perform, theirs, [self.pipe, *others]), daemon=True
        )
        try:
            self._process.start()
        except OSError:
            self.pipe.close()
            raise
        finally:
            theirs.close()

    def give(self, batch: Batch) -> None:
        self.batch = batch
        with suppress(OSError):  # it has died: the end of its pipe will say so
            self.pipe.send(batch)

    def hear(self) -> list[Outcome]:
        """Give the outcomes that it has sent. Raises EOFError or OSError where it is gone."""
        outcomes: list[Outcome] = self.pipe.recv()
        units = self.batch.units[len(outcomes) :] if self.batch else ()
        self.batch = self.batch._replace(units=units) if self.batch and units else None
        return outcomes

    def end(self) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join(_PATIENCE)
        self._process.kill()
        self._process.join()


def _work(perform: Perform, pipe: Connection, others: list[Connection]) -> None:
    """Be a worker until there is no parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # what the parent has made is not looked at, and so stays shared
    for other in others:  # so that each pipe ends with the parent
        other.close()
    with suppress(EOFError, OSError):
        while True:
            _answer(perform, pipe.recv(), pipe)


def _answer(perform: Perform, batch: Batch, pipe: Connection) -> None:
    done: list[Outcome] = []
    due = time.monotonic() + _SECONDS
    for left, unit in enumerate(batch.units, 1 - len(batch.units)):
        done += _outcomes(perform, batch._replace(units=(unit,)))
        if time.monotonic() > due or not left:
            pipe.send(done)
            done, due = [], time.monotonic() + _SECONDS


def _outcomes(perform: Perform, batch: Batch) -> list[Outcome]:
    try:
        return perform(batch)
    except Exception as error:  # whatever it may raise is told without its words: those may quote what was read
        return [Outcome(unit, problem=f"the worker failed ({type(error).__name__})") for unit in batch.units]
