"""The state machine that replaces one secret: issue, store as pending, verify, promote, revoke the old one.

Every step is announced in the journal before it happens and noted after, so that a killed rotation goes on
where it stopped. The old value dies last, and only after the value read back from the store has been proved
to work. A call whose outcome is unknown is never repeated before both values were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from hygiene.errors import ConflictError, RotationError
from hygiene.prove.event import OK
from hygiene.rotate.copies import Copy
from hygiene.rotate.issuing import Issuing
from hygiene.rotate.provider import Verdict
from hygiene.rotate.state import Step, next_step
from hygiene.rotate.work import Work
from hygiene.secret import Secret

_IN_FLIGHT = 1.0  # seconds in which a login that began with the old value can end


class Rotated(NamedTuple):
    """What a finished rotation did."""

    name: str
    reference: str
    provider: str
    outcome: str  # rotated, or aborted
    gap: bool = False  # clients could not log in between the change at the provider and the promotion
    evidence: str = ""  # why the old value is known to be dead


class Rotation:
    """One rotation, from wherever its journal says that it stands."""

    def __init__(
        self, work: Work, before_revoke: Callable[[], None] = lambda: None, copies: Sequence[Copy] = ()
    ) -> None:
        """Drive ``work``; ``before_revoke`` raises RotationError while a consumer still needs the old value.

        ``copies`` get the new value before the old one dies, and the old one back when the rotation is aborted.
        """
        self.work = work
        self._copies = copies
        self.issuing = Issuing(work)
        self._before_revoke = before_revoke
        self._evidence = ""

    def run(self) -> Rotated:
        """Go through the remaining steps; raises RotationError or StoreError, and can be run again then."""
        steps = {
            Step.STORE: self.issuing.store_pending,
            Step.ISSUE: self.issuing.issue,
            Step.VERIFY: self._verify,
            Step.PROMOTE: self._promote,
            Step.REVOKE: self._revoke,
        }
        while (step := next_step(self.work.state, prepares=self.work.prepares)) in steps:
            steps[step]()
        return self._undo() if step is Step.ABORT else self._finish()

    def abort(self) -> Rotated:
        """Go back to the old value; raises RotationError once its revocation has begun."""
        state = self.work.state
        if state.begun("revoking"):
            raise RotationError(
                f"the old value of {self.work.name} is being revoked, so there is no way back",
                hint="finish the rotation: hygiene rotate --resume",
            )
        if not state.begun("aborting"):
            self._refuse_dead_end()
            self.work.journal.record("aborting")
        return self._undo()

    def _refuse_dead_end(self) -> None:
        """Refuse to go back to a value that neither works nor can be made to work again."""
        work, able = self.work, self.work.provider.abilities
        reinstates = able.prepares and not able.overlap
        if not work.state.begun("issuing") or reinstates or not able.verifiable:
            return
        check = work.check(work.slots.read_old(), "old")
        if check.verdict is not Verdict.LIVE:
            raise RotationError(
                f"the old value of {work.name} is {check.verdict.value} ({check.evidence}), so there is no way back",
                hint="finish the rotation: hygiene rotate --resume",
            )

    def _verify(self) -> None:
        """Prove that the value read back from the store works."""
        new = self.work.slots.read_new(self.work.state.version)
        check = self.work.prove(new, Verdict.LIVE, "new", "the new value is not proved to work")
        before = str(self.work.journal.facts.get("identity", ""))
        if self.work.provider.abilities.same_identity and before and check.identity not in ("", before):
            self.work.stuck(f"the new value is {check.identity}'s, and the old one {before}'s")
        self.work.journal.record("verified", evidence=check.evidence)

    def _promote(self) -> None:
        """Make the new value the one that clients resolve."""
        with self.work.access("rotate.promote"):
            self.work.slots.promote(self.work.state.version)
        self.work.note_companion("rotate.promote")
        self.work.journal.record("promoted")

    def _revoke(self) -> None:
        """Kill the old value, after the current one was read back and proved once more."""
        work = self.work
        old, new = work.slots.read_old(), work.slots.read_new(work.state.version)
        current = work.slots.read_current()
        if current != new:
            raise ConflictError(
                f"{work.name} was changed by someone else while it was rotated; the old value was not revoked",
                hint=f"look at hygiene secret history {work.name}, then --resume or --abort",
            )
        if work.provider.abilities.verifiable:
            work.prove(current, Verdict.LIVE, "new", "the new value does not work any more")
        if not work.state.begun("revoking"):
            self._copy(current)
            if work.provider.abilities.overlap:
                work.sleep(_IN_FLIGHT)
            self._before_revoke()
            work.journal.record("revoking")
        with work.access("rotate.revoke"):
            work.provider.revoke(old, current)
        self._evidence = self._proved_dead(old)
        work.note_companion("rotate.revoke")
        work.journal.record("revoked", evidence=self._evidence)

    def _copy(self, value: Secret) -> None:
        """Write ``value`` where it is copied to; nobody notes that it was done, since twice is the same as once."""
        for copy in self._copies:
            with self.work.access("rotate.copy", to=copy.place):
                copy.write(value)

    def _proved_dead(self, old: Secret) -> str:
        if not self.work.provider.abilities.verifiable:
            return "not verifiable"
        check = self.work.prove(old, Verdict.DEAD, "old", "the old value is not proved to be dead")
        return check.evidence or "the provider refuses the old value"

    def _finish(self) -> Rotated:
        work = self.work
        work.slots.clear()
        for name in filter(None, (work.name, work.companion)):
            told = work.store.describe(name)
            if told and told.due is not None:
                work.store.mark_due(name, None)
            if told and told.expires is not None and told.expires <= datetime.now(UTC):
                work.store.expire(name, None)  # it was the old value that had expired
        evidence = next((str(entry["evidence"]) for entry in work.journal.entries("revoked")), self._evidence)
        work.note("rotate.done", OK, old_version=work.old, version=work.state.version, evidence=evidence)
        work.journal.finish()
        return self._outcome("rotated", evidence)

    def _undo(self) -> Rotated:
        """Give the new value up: the old one is current again and works, the new one is worthless."""
        work = self.work
        if work.state.begun("storing") and not work.state.version:
            self.issuing.adopted()
        state = work.state
        if not state.begun("withdrawn"):
            if state.version:
                work.slots.demote(state.version)
            if state.begun("promoted"):
                self._copy(work.slots.read_old())
            if state.begun("issuing"):
                self.issuing.withdraw()
            work.journal.record("withdrawn")
        if state.begun("storing"):  # also where only one half of a pair was
            work.slots.clear()
        work.note("rotate.abort", OK, old_version=work.old)
        work.journal.finish()
        return self._outcome("aborted")

    def _outcome(self, outcome: str, evidence: str = "") -> Rotated:
        work = self.work
        gap = not work.provider.abilities.overlap
        return Rotated(work.name, work.reference, work.provider.name, outcome, gap, evidence)
