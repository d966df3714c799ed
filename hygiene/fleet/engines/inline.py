"""Runs each batch in this process: for one worker, and for what is over before another has started."""

from __future__ import annotations

import time
from collections.abc import Iterator

from hygiene.fleet.engines.protocol import Batch, Perform
from hygiene.fleet.tasks import Outcome

_SECONDS = 1.0  # of work that is given back, and so written, together


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
        if batch is None:
            return
        done: list[Outcome] = []
        due = time.monotonic() + _SECONDS
        try:
            for unit in batch.units:
                done += self._perform(batch._replace(units=(unit,)))
                if time.monotonic() > due:
                    yield done
                    done, due = [], time.monotonic() + _SECONDS
        except KeyboardInterrupt:  # what is done is kept
            yield done
            raise
        yield done

    def close(self, *, cancel: bool = False) -> None:
        """End: there is nothing to end."""
