"""dask.distributed: whatever stands behind an existing scheduler's address.

A worker that dies is replaced and its batch tried again by the scheduler itself. When the scheduler goes away, so does
its memory: the client connects again, for a bounded time, and gives it what had not come back.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import dask
from distributed import Client, Future, wait
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from hygiene.errors import SourceError, UsageError
from hygiene.fleet.engines.protocol import Batch, Perform
from hygiene.fleet.tasks import Outcome

_RETRIES = 2  # of a batch that failed by an error that is not its own
_DEATHS = 3  # workers that a batch may take with it
_AHEAD = 2  # batches a worker that wait at the scheduler, so that no worker waits for us
_PATIENCE = 180.0  # seconds for which a scheduler may be gone
_LOST = (CommClosedError, CancelledError, OSError, TimeoutError)
_LOOK = 2.0  # seconds between two looks at a silent scheduler


class DaskEngine:
    """Batches on distributed."""

    def __init__(self, perform: Perform, *, scheduler: str, tell: Callable[[str], None]) -> None:
        """Use the ``scheduler`` at an address. Raises :class:`SourceError` where none answers, or UsageError."""
        dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS})
        for name in ("distributed", "distributed.client"):  # what it complains of is ours to tell, in a line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.name = scheduler
        self._perform = perform
        self._tell = tell
        self._address = scheduler
        self._running: dict[Future[list[Outcome]], Batch] = {}
        try:
            self._client = self._connect(30.0)
        except _LOST as error:
            raise SourceError(
                f"no scheduler answers at {scheduler}", hint="start one with: dask scheduler; dask worker ADDRESS"
            ) from error
        except (ValueError, TypeError) as error:  # an address that is none; certificates that dask was told nothing of
            raise UsageError(
                f"no scheduler can be reached at {scheduler}: {error}",
                hint="tcp://HOST:8786, or tls:// with dask's settings for certificates",
            ) from error
        self.workers = max(1, _threads(self._client))

    @property
    def link(self) -> str:
        """The dashboard; without bokeh, the page of workers that distributed has itself."""
        page = "status" if importlib.util.find_spec("bokeh") else "info/main/workers.html"
        return str(self._client.dashboard_link or "").replace("/status", f"/{page}")

    def room(self) -> int:
        """Say how many batches it takes: two a worker, so that results are written before more is begun."""
        return max(0, _AHEAD * self.workers - len(self._running))

    def busy(self) -> bool:
        """Say whether something has not come back."""
        return bool(self._running)

    def submit(self, batch: Batch) -> None:
        """Take ``batch``."""
        try:
            self._running[self._start(batch)] = batch
        except _LOST:
            self._again([batch])

    def done(self) -> Iterator[list[Outcome]]:
        """Wait for at least one batch and give its outcomes."""
        while self._running:
            try:
                finished = self._finished()
            except _LOST:
                finished = []
            if self._client.status != "running" or any(future.status in ("cancelled", "lost") for future in finished):
                self._again([])
                continue
            if not finished:
                continue
            for future in finished:
                batch = self._running[future]
                try:
                    outcomes = future.result()
                except _LOST:
                    continue  # it went with the scheduler; it is still among those that run
                except Exception as error:  # whatever a worker may raise, the batch is told and the run goes on
                    outcomes = [Outcome(unit, problem=_words(error)) for unit in batch.units]
                del self._running[future]
                yield outcomes
            return

    def close(self, *, cancel: bool = False) -> None:
        """Disconnect; the workers are their deployer's to end."""
        with suppress(*_LOST):
            if cancel and self._running:
                self._client.cancel(list(self._running), force=True)
        with suppress(*_LOST):
            self._client.close(timeout=5)

    def _finished(self) -> list[Future[list[Outcome]]]:
        with suppress(TimeoutError):
            return list(wait(list(self._running), timeout=_LOOK, return_when="FIRST_COMPLETED").done)
        return []

    def _start(self, batch: Batch) -> Future[list[Outcome]]:
        return self._client.submit(self._perform, batch, pure=False, retries=_RETRIES, key=_key(batch))

    def _connect(self, patience: float) -> Client:
        return Client(self._address, timeout=patience)

    def _again(self, more: list[Batch]) -> None:
        """Connect again, and give the scheduler all that has not come back. Raises :class:`SourceError`."""
        self._tell("the scheduler is gone: connecting again")
        batches = [*self._running.values(), *more]
        self._running = {}
        deadline = time.monotonic() + _PATIENCE
        while True:
            with suppress(*_LOST):
                self._client.close(timeout=2)
            try:
                self._client = self._connect(5.0)
                self._running = {self._start(batch): batch for batch in batches}
                return
            except _LOST as error:
                if time.monotonic() > deadline:
                    raise SourceError(
                        f"the scheduler {self._address} stays away", hint="what was finished is kept: scan again"
                    ) from error
                time.sleep(1.0)


def _threads(client: Client) -> int:
    workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    return sum(int(worker["nthreads"]) for worker in workers.values())


def _key(batch: Batch) -> str:
    return f"hygiene-{batch.name}-{time.monotonic_ns():x}"


def _words(error: Exception) -> str:
    """Say what a worker failed of, without the error's own words: those may quote what it was reading."""
    if isinstance(error, KilledWorker):
        return f"{_DEATHS + 1} workers died of it"
    return f"the worker failed ({type(error).__name__})"
