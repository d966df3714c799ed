"""What an engine must do: take batches while it has room, and give back what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from hygiene.fleet.key import FleetKey
from hygiene.fleet.tasks import Outcome, Unit


class Batch(NamedTuple):
    """What a worker gets at once."""

    units: tuple[Unit, ...]
    key: FleetKey
    config: str = ""  # a configuration for all repositories, instead of each one's own

    @property
    def name(self) -> str:
        """A name for dashboards and logs."""
        first = self.units[0]
        return f"{first.kind}-{first.repository}-{first.part}-{first.digest[:8]}x{len(self.units)}"


Perform = Callable[[Batch], list[Outcome]]  # must be importable by the workers


class Engine(Protocol):
    """Runs batches. An engine loses none: each is given back once, done or failed."""

    name: str
    workers: int
    link: str  # of its dashboard; "" where there is none

    def room(self) -> int:
        """Say how many batches it takes now without piling them up."""
        ...

    def busy(self) -> bool:
        """Say whether something has not come back."""
        ...

    def submit(self, batch: Batch) -> None:
        """Take ``batch``."""
        ...

    def done(self) -> Iterator[list[Outcome]]:
        """Wait for a batch, or several, and give their outcomes; nothing where nothing runs."""
        ...

    def close(self, *, cancel: bool = False) -> None:
        """End; with ``cancel`` what runs is given up."""
        ...
