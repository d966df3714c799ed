"""One ``fleet scan``: looks at every repository, has the changed ones scanned, and writes what comes back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from hygiene.fleet.engines.protocol import Batch, Engine
from hygiene.fleet.inventory.models import DONE
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.queue import INTERRUPTED, begin_run, end_run, enqueue, note_problem, placing_unit
from hygiene.fleet.inventory.results import write_outcomes
from hygiene.fleet.key import FleetKey
from hygiene.fleet.planning import batches, cost_of, units_of
from hygiene.fleet.survey import Known, Standing, survey
from hygiene.fleet.tasks import PART, Outcome, Unit

_MATCHED_AGAIN = 2  # times that the parts of a repository are matched again because it changed meanwhile
_TOGETHER = 200  # repositories whose tasks are written in one transaction
_CHANGES = "it changes while it is scanned"


class Watch(Protocol):
    """Who is told how far a run is."""

    def surveyed(self, done: int, total: int) -> None:
        """So many repositories were looked at."""

    def scanned(self, done: int, total: int, failed: int) -> None:
        """So many of the changed repositories are through."""


class Way(NamedTuple):
    """How a run goes about it."""

    key: FleetKey
    rules: str  # digest of what all scans go by
    mirrors: Path
    config: str = ""
    full: bool = False  # scan what has not changed, too
    at_once: int = 8  # repositories that are looked at, or fetched, together


class Tally(NamedTuple):
    """What a run did."""

    repositories: int = 0
    changed: int = 0
    failed: tuple[tuple[str, str], ...] = ()  # names, and why
    bytes: int = 0  # of objects that were read
    left: frozenset[int] = frozenset()  # numbers of those that failed


class FleetRun:
    """Takes repositories through survey, tasks and results."""

    def __init__(self, inventory: Inventory, way: Way, watch: Watch) -> None:
        """Work on ``inventory``."""
        self._inventory = inventory
        self._way = way
        self._watch = watch
        self._failed: dict[int, tuple[str, str]] = {}
        self._names: dict[int, str] = {}
        self._left: dict[int, set[int]] = {}  # parts that a repository waits for
        self._again: dict[int, int] = {}
        self._open: set[int] = set()  # repositories that are not through
        self._total = 0
        self._bytes = 0

    def survey(self, repositories: Sequence[Known]) -> list[Standing]:
        """Look where ``repositories`` stand, fetching what moved; gives those to be scanned."""
        changed = []
        looked = survey(repositories, self._way.mirrors, self._way.rules, at_once=self._way.at_once)
        for number, standing in enumerate(looked, 1):
            self._names[standing.known.id] = standing.known.name
            if standing.problem:
                self._fail(standing.known.id, standing.problem)
            elif standing.changed or self._way.full:
                changed.append(standing)
            self._watch.surveyed(number, len(repositories))
        return changed

    def size(self, changed: Sequence[Standing]) -> int:
        """Give the bytes of packs that cost as much as to scan what has ``changed``."""
        return sum(cost_of(self._whole(standing)) for standing in changed)

    def scan(self, changed: Sequence[Standing], engine: Engine, repositories: int) -> Tally:
        """Scan what has ``changed`` on ``engine``; an interrupt leaves what is done, for the next run to go on from."""
        number = self._inventory.run(lambda session: begin_run(session, engine.name, repositories))
        self._open = {standing.known.id for standing in changed}
        self._total = len(self._open)
        if changed:
            self._watch.scanned(0, self._total, len(self._failed))
        state = INTERRUPTED
        try:
            self._work(changed, engine)
            state = DONE
        finally:
            engine.close(cancel=state == INTERRUPTED)
            failed = tuple(self._failed.values())
            tally = Tally(repositories, len(changed), failed, self._bytes, frozenset(self._failed))
            self._inventory.run(
                lambda session: end_run(
                    session, number, state=state, changed=tally.changed, failed=len(tally.failed), size=tally.bytes
                )
            )
        return tally

    def _work(self, changed: Sequence[Standing], engine: Engine) -> None:
        waiting = deque(batches(self._enqueued(changed, engine.workers), engine.workers))
        while waiting or engine.busy():
            self._hand_out(waiting, engine)
            for outcomes in engine.done():
                self._hand_out(waiting, engine)  # so that no worker waits while they are written
                self._inventory.run(lambda session, some=outcomes: write_outcomes(session, some))  # type: ignore[misc]
                for outcome in outcomes:
                    waiting.extendleft((unit,) for unit in self._next(outcome))

    def _hand_out(self, waiting: deque[tuple[Unit, ...]], engine: Engine) -> None:
        while waiting and engine.room():
            engine.submit(Batch(waiting.popleft(), self._way.key, self._way.config))

    def _enqueued(self, changed: Sequence[Standing], workers: int) -> Iterator[Unit]:
        for start in range(0, len(changed), _TOGETHER):
            some = changed[start : start + _TOGETHER]
            planned = [(one, self._units(one, workers)) for one in some]
            lefts = self._inventory.run(lambda session, planned=planned: enqueue(session, planned))  # type: ignore[misc]
            for (standing, units), left in zip(planned, lefts, strict=True):
                if units[0].kind == PART:
                    self._left[standing.known.id] = {unit.part for unit in left}
                    yield from left or self._placing(units[0])
                else:
                    yield from left

    def _units(self, standing: Standing, workers: int) -> list[Unit]:
        """Cut a repository into units, unless an earlier scan left so little to read that parts would read more."""
        return units_of(self._whole(standing), workers)

    def _whole(self, standing: Standing) -> Unit:
        size = 0 if standing.grown and not self._way.full else standing.bytes
        return Unit(standing.known.id, standing.path, standing.tips, standing.digest, bytes=size)

    def _next(self, outcome: Outcome) -> Iterable[Unit]:
        """Give what is to be done after ``outcome``."""
        unit = outcome.unit
        self._bytes += outcome.stats[1] if unit.kind == PART or unit.parts == 1 else 0
        if outcome.problem:
            self._fail(unit.repository, outcome.problem)
        elif unit.kind == PART:
            self._left[unit.repository].discard(unit.part)
            return () if self._left[unit.repository] else self._placing(unit)
        else:
            self._through(unit.repository)
        return ()

    def _placing(self, unit: Unit) -> list[Unit]:
        place = self._inventory.run(lambda session: placing_unit(session, unit))
        if place is not None:
            return [place]
        self._again[unit.repository] = self._again.get(unit.repository, 0) + 1
        if self._again[unit.repository] > _MATCHED_AGAIN:
            self._inventory.run(lambda session: note_problem(session, unit.repository, _CHANGES))
            self._fail(unit.repository, _CHANGES)
            return []
        self._left[unit.repository] = set(range(unit.parts))
        return [unit._replace(part=part) for part in range(unit.parts)]

    def _fail(self, repository: int, problem: str) -> None:
        self._failed[repository] = (self._names.get(repository, str(repository)), problem)
        self._inventory.run(lambda session: note_problem(session, repository, problem))
        self._through(repository)

    def _through(self, repository: int) -> None:
        if repository in self._open:
            self._open.discard(repository)
            self._watch.scanned(self._total - len(self._open), self._total, len(self._failed))
