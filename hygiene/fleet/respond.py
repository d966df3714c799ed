"""Ends an exposure: a branch in every repository, one rotation for all, closed when the last repository is clean.

Each step is on record before the next begins, so that a run that was cut short goes on where it was.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from hygiene.errors import HygieneError, PersonNeededError
from hygiene.fleet.inventory.models import CLOSED, OPEN, ROTATED
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.rotations import (
    BY_HAND,
    CLEAN,
    FAILED,
    PREPARED,
    Affected,
    Case,
    note_branch,
    note_closed,
    note_rotated,
    note_stored,
    open_case,
)


class Prepared(NamedTuple):
    """What was done in one repository."""

    state: str  # prepared, by hand, clean
    branch: str = ""
    commit: str = ""
    problem: str = ""


class Stored(NamedTuple):
    """Where the value is kept."""

    reference: str
    version: str


class Hands(Protocol):
    """What can only be done with stores, providers and working trees; the command line composes it."""

    def prepare(self, case: Case, repository: Affected) -> Prepared:
        """Replace the value by a reference on a branch of one repository. Raises HygieneError."""
        ...

    def stored(self, case: Case) -> Stored | None:
        """Say where the value is kept, if it is."""
        ...

    def keep(self, case: Case, repository: Affected) -> None:
        """Store the value from history, where no file shows it any more. Raises HygieneError."""
        ...

    def rotate(self, case: Case) -> str:
        """Replace the value by a new one and revoke it; gives the evidence. Raises HygieneError."""
        ...

    def shows(self, case: Case, repository: Affected) -> bool:
        """Say whether the head of the repository still holds the value. Raises HygieneError."""
        ...


class Ended(NamedTuple):
    """How far one exposure is."""

    case: Case
    state: str  # open, rotated, closed
    waiting: str = ""  # what a person has to do
    failed: str = ""


class Response:
    """Works on exposures, one after the other."""

    def __init__(self, inventory: Inventory, hands: Hands) -> None:
        """Work with ``hands``."""
        self._inventory = inventory
        self._hands = hands

    def respond(self, exposure: int) -> Ended:
        """Go as far as it goes with one exposure."""
        case = self._case(exposure)
        for repository in case.affected:
            if repository.state in ("", FAILED):
                self._prepare(case, repository)
        waiting = failed = ""
        case = self._case(exposure)
        if case.state == OPEN:
            waiting, failed = self._rotate(case)
        case = self._case(exposure)
        if case.state == ROTATED:
            self._close(case)
        case = self._case(exposure)
        return Ended(case, case.state, waiting, failed or _failures(case))

    def _case(self, exposure: int) -> Case:
        return self._inventory.run(lambda session: open_case(session, exposure, begin=True))

    def _prepare(self, case: Case, repository: Affected) -> None:
        try:
            done = self._hands.prepare(case, repository)
        except HygieneError as error:
            done = Prepared(FAILED, problem=error.message)
        self._inventory.run(
            lambda session: note_branch(
                session, case.exposure, repository.id,
                state=done.state, name=done.branch, commit=done.commit, problem=done.problem,
            )
        )  # fmt: skip

    def _rotate(self, case: Case) -> tuple[str, str]:
        """Rotate once, after every repository has what it needs; gives what a person has to do, or what failed."""
        if any(repository.state in ("", FAILED) for repository in case.affected):
            return "", "not rotated: a repository is not prepared yet"
        try:
            stored = self._hands.stored(case)
            if stored is None and case.affected:
                self._hands.keep(case, case.affected[0])
                stored = self._hands.stored(case)
            if stored is None:
                return "", "its value is nowhere to be had: rotate it by hand"
            if not case.version:
                self._inventory.run(lambda session: note_stored(session, case.exposure, *stored))
            case = self._case(case.exposure)
            evidence = self._hands.rotate(case)
        except PersonNeededError as error:
            return f"{error.message}\n{error.hint}".strip(), ""
        except HygieneError as error:
            return "", error.message
        self._inventory.run(lambda session: note_rotated(session, case.exposure, evidence))
        return "", ""

    def _close(self, case: Case) -> None:
        for repository in case.affected:
            if repository.state == CLEAN:
                continue
            try:
                shown = self._hands.shows(case, repository)
            except HygieneError as error:
                problem = error.message
                self._note(case, repository, repository.state, problem)
                continue
            if not shown:
                self._note(case, repository, CLEAN, "")
        self._inventory.run(lambda session: note_closed(session, case.exposure))

    def _note(self, case: Case, repository: Affected, state: str, problem: str) -> None:
        self._inventory.run(
            lambda session: note_branch(session, case.exposure, repository.id, state=state, problem=problem)
        )


def _failures(case: Case) -> str:
    failed = [one for one in case.affected if one.state == FAILED]
    return "; ".join(f"{one.name}: {one.problem}" for one in failed[:3]) + (" …" if len(failed) > 3 else "")


def summary(ended: Ended) -> str:
    """Say in one line how far an exposure is."""
    counts = {
        state: sum(1 for one in ended.case.affected if one.state == state)
        for state in (PREPARED, BY_HAND, CLEAN, FAILED)
    }
    words = {PREPARED: "to merge", BY_HAND: "by hand", CLEAN: "clean", FAILED: "failed"}
    told = ", ".join(f"{number} {words[state]}" for state, number in counts.items() if number)
    where = f"{len(ended.case.affected)} repositories: {told or 'nothing done'}"
    return f"{ended.state:8} {ended.case.fingerprint[:15]} {ended.case.rule}, {where}"


def is_over(ended: Ended) -> bool:
    """Say whether nobody has to do anything any more."""
    return ended.state == CLOSED
