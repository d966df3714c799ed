"""dask.distributed: processes of this machine, or whatever stands behind an existing scheduler's address.

A worker that dies is replaced and its batch tried again by the scheduler itself. When the scheduler goes away, so does
its memory: the client connects again, for a bounded time, and gives it what had not come back.
"""

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import dask
from distributed import Client, Future, LocalCluster, utils, wait
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
_OWN = {  # of a cluster of our own: nobody reads where its workers spend their time, and to ask takes some of it
    "distributed.worker.multiprocessing-method": "forkserver",  # which imports once for all workers
    "distributed.worker.preload": ["hygiene.fleet.engines.beginning"],
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.memory.monitor-interval": "1s",  # what a worker may take is bounded by what it reads
    # Without its own setting, by which memory goes back to the system at each free, and with one arena for all threads.
    "distributed.nanny.pre-spawn-environ": {"MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"},
}


class DaskEngine:
    """Batches on distributed."""

    def __init__(self, perform: Perform, *, scheduler: str, workers: int = 0, tell: Callable[[str], None]) -> None:
        """Use the ``scheduler`` at an address, or start ``workers`` processes.

        Raises :class:`SourceError` where no scheduler answers, or UsageError for an address that is none.
        """
        dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS})
        for name in ("distributed", "distributed.client"):  # what it complains of is ours to tell, in a line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.name = scheduler or f"{workers} local workers"
        self._perform = perform
        self._tell = tell
        self._address = scheduler
        self._cluster = None if scheduler else _cluster(workers, perform)
        self._running: dict[Future[list[Outcome]], Batch] = {}
        self._alone: deque[Batch] = deque()  # each tried while nothing else is: who dies then, dies of it
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
        self.workers = workers if self._cluster else max(1, _threads(self._client))

    @property
    def link(self) -> str:
        """The dashboard; without bokeh, the page of workers that distributed has itself."""
        page = "status" if importlib.util.find_spec("bokeh") else "info/main/workers.html"
        return str(self._client.dashboard_link or "").replace("/status", f"/{page}")

    def room(self) -> int:
        """Say how many batches it takes, so that results which are not written stay few.

        Two a worker, so that none waits for a network; one on this machine, so that at the end none waits for another.
        """
        ahead = 1 if self._cluster else _AHEAD
        return 0 if self._alone else max(0, ahead * self.workers - len(self._running))

    def busy(self) -> bool:
        """Say whether something has not come back."""
        return bool(self._running or self._alone)

    def submit(self, batch: Batch) -> None:
        """Take ``batch``."""
        try:
            self._running[self._start(batch)] = batch
        except _LOST:
            self._again([batch])

    def done(self) -> Iterator[list[Outcome]]:
        """Wait for at least one batch and give its outcomes."""
        while self.busy():
            if not self._running:
                self.submit(self._alone.popleft())
            try:
                finished = self._finished()
            except _LOST:
                finished = []
            if self._client.status != "running" or any(future.status in ("cancelled", "lost") for future in finished):
                self._again([])
                continue
            if not finished:
                continue
            yield from filter(None, map(self._outcomes, finished))
            return

    def _outcomes(self, future: Future[list[Outcome]]) -> list[Outcome]:
        """Give what came of a batch; nothing where it is to be tried again."""
        batch = self._running[future]
        try:
            outcomes = future.result()
        except _LOST:
            return []  # it went with the scheduler; it is still among those that run
        except Exception as error:  # whatever a worker may raise, the batch is told and the run goes on
            outcomes = [Outcome(unit, problem=_words(error)) for unit in batch.units]
            if isinstance(error, KilledWorker) and len(batch.units) > 1:  # only the one that they died of is given up
                self._alone += [batch._replace(units=(unit,)) for unit in batch.units]
                outcomes = []
        del self._running[future]
        return outcomes

    def close(self, *, cancel: bool = False) -> None:
        """Disconnect, and end the workers that were started here; those of a scheduler are their deployer's to end."""
        with suppress(*_LOST):
            if cancel and self._running:
                self._client.cancel(list(self._running), force=True)
        with suppress(*_LOST):
            self._client.close(timeout=5)
        if self._cluster is not None:
            with suppress(*_LOST):
                self._cluster.close(timeout=10)

    def _finished(self) -> list[Future[list[Outcome]]]:
        with suppress(TimeoutError):
            return list(wait(list(self._running), timeout=_LOOK, return_when="FIRST_COMPLETED").done)
        return []

    def _start(self, batch: Batch) -> Future[list[Outcome]]:
        return self._client.submit(self._perform, batch, pure=False, retries=_RETRIES, key=_key(batch))

    def _connect(self, patience: float) -> Client:
        return Client(self._cluster or self._address, timeout=patience)

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


def _cluster(workers: int, perform: Perform) -> LocalCluster:
    dask.config.set(_OWN)
    # Its first call says what workers share, and would import all that distributed can work with.
    utils._forkserver_preload_set = True
    multiprocessing.get_context("forkserver").set_forkserver_preload(["distributed", perform.__module__])
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )


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
