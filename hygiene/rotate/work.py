"""What every step of a rotation works with: the parts, the journal's state, and questions that leave their evidence."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NoReturn, Protocol

from hygiene.errors import RotationError
from hygiene.journal import Journal
from hygiene.prove.event import OK, Recorder
from hygiene.rotate.beginning import rotatable
from hygiene.rotate.provider import Check, Provider, Verdict
from hygiene.rotate.slots import PairedSlots, Slots, open_slots
from hygiene.rotate.state import State, state_from_entries
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, Store

_FIRST_DELAY = 0.25
_LONGEST_DELAY = 8.0


class Sealer(Protocol):
    """Seals a value to the user's own identity, for the moment in which only the journal holds it."""

    def seal(self, secret: Secret) -> str:
        """Encrypt ``secret``; the text may stand in a file."""

    def unseal(self, text: str) -> Secret:
        """Decrypt what :meth:`seal` gave."""


class Work:
    """One rotation's parts."""

    def __init__(
        self,
        store: Store,
        provider: Provider,
        recorder: Recorder,
        journal: Journal,
        *,
        sealer: Sealer | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the slots of the secret that ``journal`` names; raises RotationError where it may not be written."""
        self.store, self.provider, self.journal = store, provider, journal
        self.sealer, self.sleep = sealer, sleep
        self.name = str(journal.facts["name"])
        self.companion = str(journal.facts.get("companion", ""))
        self.old = str(journal.facts["old"])
        self.prepares = bool(journal.facts["prepares"])
        self.reference = str(store.reference(self.name))
        self.slots = self._open_slots()
        self._recorder = recorder

    @property
    def state(self) -> State:
        """Where the rotation stands."""
        return state_from_entries(self.journal.entries())

    def replaced_meanwhile(self) -> bool:
        """Say whether another run has changed the secret since this one began."""
        told = self.store.describe(self.name)
        current = told.staged(CURRENT) if told else None
        return self.slots.pending() is not None or current is None or current.id != self.old

    def access(self, action: str, **detail: str) -> AbstractContextManager[object]:
        """Record an act at the provider before it happens, and what came of it."""
        return self._recorder.access(action, self.reference, provider=self.provider.name, **detail)

    def note(self, action: str, outcome: str, **detail: str) -> None:
        """Record what happened."""
        self._recorder.record(action, self.reference, outcome, provider=self.provider.name, **detail)

    def note_companion(self, action: str) -> None:
        """Tell the same of the other half of a pair: its exposure ends with this one."""
        if self.companion:
            self._recorder.record(action, str(self.store.reference(self.companion)), OK, pair=self.reference)

    def check(self, secret: Secret, which: str) -> Check:
        """Ask whether ``secret`` (the "old" or the "new" one) works."""
        check = self.provider.verify(secret)
        # An exposure lives or dies with the old value; the new one's verdict has a name of its own.
        verdict = {"verdict" if which == "old" else "new_verdict": check.verdict.value}
        self.note("rotate.verify", OK, which=which, evidence=check.evidence, **verdict)
        return check

    def wait_for(self, secret: Secret, wanted: Verdict, which: str) -> Check:
        """Ask until the answer is ``wanted`` or the provider had time enough to spread the change."""
        waited, delay = 0.0, _FIRST_DELAY
        check = self.check(secret, which)
        while check.verdict is not wanted and waited < self.provider.abilities.propagation:
            self.sleep(delay)
            waited, delay = waited + delay, min(2 * delay, _LONGEST_DELAY)
            check = self.check(secret, which)
        return check

    def prove(self, secret: Secret, wanted: Verdict, which: str, problem: str) -> Check:
        """Ask as :meth:`wait_for`, and stop the rotation with ``problem`` where the answer stays another."""
        check = self.wait_for(secret, wanted, which)
        if check.verdict is not wanted and self.provider.abilities.verifiable:
            self.stuck(f"{problem} ({check.evidence or check.verdict.value})")
        return check

    def stuck(self, why: str) -> NoReturn:
        """Stop here; the journal knows where to go on."""
        way_back = "" if self.state.begun("revoking") else f", or go back: hygiene rotate {self.name} --abort"
        raise RotationError(
            f"the rotation of {self.name} stopped: {why}", hint=f"go on later: hygiene rotate --resume{way_back}"
        )

    def _open_slots(self) -> Slots:
        facts = self.journal.facts
        secret = rotatable(self.store, self.name)
        # What was learned on the way is kept as labels, so that the next rotation knows it.
        learned = {**facts.get("labels", {}), **dict(secret.labels)}
        slots = open_slots(self.store, secret._replace(labels=tuple(learned.items())), self.old)
        if not self.companion:
            return slots
        other = rotatable(self.store, self.companion)
        return PairedSlots(open_slots(self.store, other, str(facts["companion_old"])), slots)
