"""Runs each batch in this process: for one worker, and for what is over before another has started."""

from __future__ import annotations

from collections.abc import Iterator

from hygiene.fleet.engines.protocol import Batch, Perform
from hygiene.fleet.tasks import Outcome


class InlineEngine:
    """One batch at a time."""

    name = "inline"
    workers = 1
    link = ""

    def __init__(self, perform: Perform) -> None:
        """Do the work with ``perform``."""
        self._perform = perform
        self._batch: Batch | None = None

    def room(self) -> int:
        """Say whether the one place is free."""
        return 0 if self._batch else 1

    def busy(self) -> bool:
        """Say whether a batch is here."""
        return self._batch is not None

    def submit(self, batch: Batch) -> None:
        """Take ``batch``."""
        self._batch = batch

    def done(self) -> Iterator[list[Outcome]]:
        """Do the batch, and give what came of it."""
        batch, self._batch = self._batch, None
        if batch is not None:
            for unit in batch.units:
                yield self._perform(batch._replace(units=(unit,)))

    def close(self, *, cancel: bool = False) -> None:
        """End: there is nothing to end."""
