"""One stored secret under rotation, with a client that resolves it again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hygiene.journal import Journal
from hygiene.rotate.beginning import JOB, begin
from hygiene.rotate.provider import Provider
from hygiene.rotate.rotation import Rotated, Rotation
from hygiene.rotate.work import Work
from hygiene.secret import Secret
from tests.fakes.memory_recorder import MemoryRecorder
from tests.fakes.memory_store import MemoryStore

NAME = "shop/credential"


class Rotating:
    """A store with one secret, its provider, and the journal of its rotation."""

    def __init__(self, folder: Path, value: Secret, provider: Provider) -> None:
        self.store = MemoryStore()
        self.store.put(NAME, value, token="0" * 32)
        self.provider = provider
        self.recorder = MemoryRecorder()
        self.path = folder / "journal"
        self.issues: list[str] = []

    @property
    def current(self) -> Secret:
        return self.store.get(NAME)

    def rotation(self) -> Rotation:
        journal = Journal.open(self.path, JOB) or begin(
            lambda **facts: Journal.create(self.path, JOB, **facts), self.store, NAME, self.provider, reason="test"
        )
        return Rotation(Work(self.store, self.provider, self.recorder, journal, sleep=_briefly))

    def rotate(self) -> Rotated:
        return self.rotation().run()


def _briefly(seconds: float) -> None:
    time.sleep(min(seconds, 0.3))


class Client:
    """Counts the logins of a client that resolves its reference before each one."""

    def __init__(self) -> None:
        self.logins = 0
        self.failures: list[str] = []


@contextmanager
def client(store: MemoryStore, login: Callable[[Secret], None]) -> Iterator[Client]:
    """Log in over and over with what the store hands out, until the block ends."""
    counted, stop = Client(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                login(store.get(NAME))
            except Exception as error:
                counted.failures.append(str(error))
            else:
                counted.logins += 1

    thread = threading.Thread(target=work)
    thread.start()
    while counted.logins + len(counted.failures) < 3:
        time.sleep(0.01)
    try:
        yield counted
        reached = counted.logins + 3
        deadline = time.monotonic() + 20
        while counted.logins < reached and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        stop.set()
        thread.join(30)
