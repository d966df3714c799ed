"""The state machine that replaces one secret: issue, store as pending, verify, promote, revoke the old one.

Every step is announced in the journal before it happens and noted after, so that a killed rotation goes on
where it stopped. The old value dies last, and only after the value read back from the store has been proved
to work. A call whose outcome is unknown is never repeated before both values were asked for.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple, NoReturn, Protocol

from hygiene.errors import ConflictError, OutcomeUnknownError, ProviderError, RotationError, SupersededError
from hygiene.journal import Journal
from hygiene.prove.event import FAILED, OK, Recorder
from hygiene.rotate.provider import Check, Inventory, Provider, Verdict, Withdrawing
from hygiene.rotate.slots import PairedSlots, Slots, open_slots, pair_from_halves
from hygiene.rotate.state import State, Step, next_step, state_from_entries
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, OWNER, Store, StoredSecret

JOB = "rotate"
_ISSUE_TRIES = 3
_CLAIM_TRIES = 8
_AFTER_UNKNOWN = 2.0  # seconds that a provider gets to show what it did
_FIRST_DELAY = 0.25
_LONGEST_DELAY = 8.0


class Sealer(Protocol):
    """Seals a value to the user's own identity, for the moment in which only the journal holds it."""

    def seal(self, secret: Secret) -> str:
        """Encrypt ``secret``; the text may stand in a file."""

    def unseal(self, text: str) -> Secret:
        """Decrypt what :meth:`seal` gave."""


class Rotated(NamedTuple):
    """What a finished rotation did."""

    name: str
    reference: str
    provider: str
    outcome: str  # rotated, or aborted
    gap: bool = False  # clients could not log in between the change at the provider and the promotion
    evidence: str = ""  # why the old value is known to be dead


def begin(
    journal_at: Callable[..., Journal],
    store: Store,
    name: str,
    provider: Provider,
    *,
    reason: str,
    expected: str = "",
    labels: Mapping[str, str] = MappingProxyType({}),
    companion: str = "",
) -> Journal:
    """Start the journal of a rotation of ``name``, after the refusals that need no change undone.

    ``journal_at`` creates the journal from its facts; ``expected`` is the version that gave the reason, ``labels``
    what was learned of the secret besides, ``companion`` the secret that holds the id of a pair. Raises
    RotationError for a store that can't be written, a secret that isn't there or isn't ours, and one that the
    provider can't tell live from dead; ConflictError while another rotation has a pending value;
    SupersededError when ``expected`` was replaced meanwhile.
    """
    secret = _rotatable(store, name)
    old = secret.staged(CURRENT)
    if old is None:
        raise RotationError(f"{name} has no current value", hint=f"store one: hygiene secret put {name}")
    if expected and expected != old.id:
        raise SupersededError(f"{name} has a newer version by now, so there is no reason left to rotate it")
    halves = [(secret, old.id)]
    if companion:
        other = _rotatable(store, companion)
        current = other.staged(CURRENT)
        halves.insert(0, (other, current.id if current else ""))
    if any(open_slots(store, half, version).pending() is not None for half, version in halves):
        raise ConflictError(
            f"another rotation of {name} is under way: a value is pending",
            hint=f"finish it where it was started (--resume), or give it up: hygiene rotate {name} --abort",
        )
    value = pair_from_halves(store.get(companion), store.get(name)) if companion else store.get(name)
    before = provider.verify(value) if provider.abilities.verifiable else Check(Verdict.UNKNOWN)
    if before.verdict is Verdict.UNKNOWN and provider.abilities.verifiable:
        raise ProviderError(
            f"cannot tell whether {name} works, so it is not rotated: {before.evidence or 'no answer'}",
            hint=before.hint or "without that, the new value could not be proved either; nothing was changed",
        )
    return journal_at(
        name=name,
        store=store.uri,
        provider=provider.name,
        old=old.id,
        prepares=provider.abilities.prepares,
        reason=reason,
        before=before.verdict.value,
        labels=dict(labels),
        companion=companion,
        companion_old=halves[0][1] if companion else "",
    )


def _rotatable(store: Store, name: str) -> StoredSecret:
    if not store.capabilities.writable:
        raise RotationError(f"the store {store.uri} is read-only", hint="rotate in the system that writes it")
    secret = store.describe(name)
    if secret is None or secret.deleted is not None:
        raise RotationError(f"the store {store.uri} has no secret {name}", hint="hygiene secret list shows what it has")
    if secret.owner != OWNER:
        raise RotationError(
            f"{name} belongs to {secret.owner or 'someone else'}, so it is not touched",
            hint=f"make it ours first: hygiene secret put {name} --adopt",
        )
    return secret


class Rotation:
    """One rotation, from wherever its journal says that it stands."""

    def __init__(
        self,
        store: Store,
        provider: Provider,
        recorder: Recorder,
        journal: Journal,
        *,
        sealer: Sealer | None = None,
        before_revoke: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Drive ``journal``; ``before_revoke`` raises RotationError while a consumer still needs the old value."""
        self._store = store
        self._provider = provider
        self._recorder = recorder
        self._journal = journal
        self._sealer = sealer
        self._before_revoke = before_revoke
        self._sleep = sleep
        self._name = str(journal.facts["name"])
        self._companion = str(journal.facts.get("companion", ""))
        self._slots = self._open_slots()
        self._reference = str(store.reference(self._name))
        self._evidence = ""

    def run(self) -> Rotated:
        """Go through the remaining steps; raises RotationError or StoreError, and can be run again then."""
        steps = {
            Step.STORE: self._store_pending,
            Step.ISSUE: self._issue,
            Step.VERIFY: self._verify,
            Step.PROMOTE: self._promote,
            Step.REVOKE: self._revoke,
        }
        while (step := next_step(self._state, prepares=self._prepares)) in steps:
            steps[step]()
        return self._undo() if step is Step.ABORT else self._finish()

    def abort(self) -> Rotated:
        """Go back to the old value; raises RotationError once its revocation has begun."""
        if self._state.begun("revoking"):
            raise RotationError(
                f"the old value of {self._name} is being revoked, so there is no way back",
                hint="finish the rotation: hygiene rotate --resume",
            )
        if not self._state.begun("aborting"):
            self._refuse_dead_end()
            self._journal.record("aborting")
        return self._undo()

    def _refuse_dead_end(self) -> None:
        """Refuse to go back to a value that neither works nor can be made to work again."""
        able = self._provider.abilities
        reinstates = able.prepares and not able.overlap
        if not self._state.begun("issuing") or reinstates or not able.verifiable:
            return
        check = self._check(self._slots.read_old(), "old")
        if check.verdict is not Verdict.LIVE:
            raise RotationError(
                f"the old value of {self._name} is {check.verdict.value} ({check.evidence}), so there is no way back",
                hint="finish the rotation: hygiene rotate --resume",
            )

    @property
    def _state(self) -> State:
        return state_from_entries(self._journal.entries())

    @property
    def _prepares(self) -> bool:
        return bool(self._journal.facts["prepares"])

    def _open_slots(self) -> Slots:
        facts = self._journal.facts
        secret = _rotatable(self._store, self._name)
        # What was learned on the way is kept as labels, so that the next rotation knows it.
        learned = {**facts.get("labels", {}), **dict(secret.labels)}
        slots = open_slots(self._store, secret._replace(labels=tuple(learned.items())), str(facts["old"]))
        if not self._companion:
            return slots
        other = _rotatable(self._store, self._companion)
        return PairedSlots(open_slots(self._store, other, str(facts["companion_old"])), slots)

    # The steps, in order.

    def _store_pending(self) -> None:
        """Make the new value and store it before anything changes at the provider."""
        if self._adopted():
            return
        prepared = self._provider.prepare(self._slots.read_old())
        if prepared is None:
            raise RotationError(f"the provider {self._provider.name} said it prepares values, and made none")
        try:
            self._put(prepared)
        except ConflictError:
            self._journal.finish()  # another runner was first, and nothing of ours was written
            raise

    def _issue(self) -> None:
        """Make the new value valid, whatever an earlier try did or did not do."""
        for _ in range(_ISSUE_TRIES):
            resumed = self._state.begun("issuing")
            if resumed and self._settled():
                break
            try:
                self._issue_once()
                break
            except OutcomeUnknownError as error:
                self._note("rotate.issue", FAILED, evidence=error.message)
                self._sleep(_AFTER_UNKNOWN)
            except ProviderError as error:
                self._note("rotate.issue", FAILED, evidence=error.message)
                if not resumed and self._untouched():
                    self._leave()
                raise
        else:
            self._stuck("it is not known whether the provider issued the new value")
        self._journal.record("issued")

    def _verify(self) -> None:
        """Prove that the value read back from the store works."""
        check = self._wait_for(self._slots.read_new(self._state.version), Verdict.LIVE, "new")
        if check.verdict is not Verdict.LIVE and self._provider.abilities.verifiable:
            self._stuck(f"the new value is not proved to work ({check.evidence or check.verdict.value})")
        self._journal.record("verified", evidence=check.evidence)

    def _promote(self) -> None:
        """Make the new value the one that clients resolve."""
        with self._recorder.access("rotate.promote", self._reference):
            self._slots.promote(self._state.version)
        self._note_companion("rotate.promote")
        self._journal.record("promoted")

    def _revoke(self) -> None:
        """Kill the old value, after the current one was read back and proved once more."""
        old, new = self._slots.read_old(), self._slots.read_new(self._state.version)
        current = self._slots.read_current()
        if current != new:
            raise ConflictError(
                f"{self._name} was changed by someone else while it was rotated; the old value was not revoked",
                hint=f"look at hygiene secret history {self._name}, then --resume or --abort",
            )
        if self._provider.abilities.verifiable:
            check = self._wait_for(current, Verdict.LIVE, "new")
            if check.verdict is not Verdict.LIVE:
                self._stuck(f"the new value does not work any more ({check.evidence or check.verdict.value})")
        if not self._state.begun("revoking"):
            self._before_revoke()
            self._journal.record("revoking")
        with self._recorder.access("rotate.revoke", self._reference, provider=self._provider.name):
            self._provider.revoke(old, current)
        self._evidence = self._proved_dead(old)
        self._note_companion("rotate.revoke")
        self._journal.record("revoked", evidence=self._evidence)

    def _finish(self) -> Rotated:
        self._slots.clear()
        for name in filter(None, (self._name, self._companion)):
            told = self._store.describe(name)
            if told and told.due is not None:
                self._store.mark_due(name, None)
            if told and told.expires is not None and told.expires <= datetime.now(UTC):
                self._store.expire(name, None)  # it was the old value that had expired
        evidence = next((str(entry["evidence"]) for entry in self._journal.entries("revoked")), self._evidence)
        facts = self._journal.facts
        self._note("rotate.done", OK, old_version=str(facts["old"]), version=self._state.version, evidence=evidence)
        self._journal.finish()
        return self._outcome("rotated", evidence)

    def _undo(self) -> Rotated:
        """Give the new value up: the old one is current again and works, the new one is worthless."""
        if self._state.begun("storing") and not self._state.version:
            self._adopted()
        state = self._state
        if not state.begun("withdrawn"):
            if state.version:
                self._slots.demote(state.version)
            if state.begun("issuing"):
                self._withdraw(state)
            self._journal.record("withdrawn")
        if state.begun("storing"):  # also where only one half of a pair was
            self._slots.clear()
        self._note("rotate.abort", OK, old_version=str(self._journal.facts["old"]))
        self._journal.finish()
        return self._outcome("aborted")

    # What the steps are made of.

    def _issue_once(self) -> None:
        old = self._slots.read_old()
        prepared = self._slots.read_new(self._state.version) if self._prepares else None
        if not self._state.begun("issuing"):
            self._journal.record("issuing", known=sorted(map(_digest, self._identifiers(old))))
        with self._recorder.access("rotate.issue", self._reference, provider=self._provider.name):
            issued = self._provider.issue(old, prepared)
        if prepared is None:
            self._keep(issued)
        elif issued != prepared:
            raise RotationError(f"the provider {self._provider.name} issued another value than the prepared one")

    def _keep(self, issued: Secret) -> None:
        """Bring a value that only this process knows to a safe place at once."""
        if self._sealer is not None and not self._state.sealed:
            self._journal.record("sealed", value=self._sealer.seal(issued))
        try:
            self._put(issued)
        except ConflictError:
            # Another runner was first. Its value is the one that counts, so ours must not stay valid.
            self._give_up(issued, self._slots.read_current())
            self._journal.finish()
            raise

    def _settled(self) -> bool:
        """Say whether an issue of unknown outcome has happened; clears up what it left where it can't be used."""
        state = self._state
        if not self._prepares:
            return self._recovered(state)
        new = self._check(self._slots.read_new(state.version), "new")
        if new.verdict is Verdict.LIVE:
            return True
        old = self._check(self._slots.read_old(), "old")
        if new.verdict is Verdict.DEAD and old.verdict is Verdict.LIVE:
            return False
        if self._provider.abilities.idempotent_issue and new.verdict is Verdict.DEAD:
            return False
        self._stuck(f"the new value is {new.verdict.value}, the old one {old.verdict.value}")

    def _recovered(self, state: State) -> bool:
        if state.version or self._adopted():
            return True
        if state.sealed and self._sealer is not None:
            self._keep(self._sealer.unseal(state.sealed))
            return True
        self._refuse_overtaken()
        old, able = self._slots.read_old(), self._provider.abilities
        if not able.overlap and not able.idempotent_issue:
            self._refuse_lost(old)
        self._clear_orphans(old)
        return False

    def _refuse_lost(self, old: Secret) -> None:
        """Stop where the old value ended with the new one's birth; it has to live long enough to prove the contrary.

        At some providers a rotation of a value that was rotated already ends its successor, too.
        """
        for wait in (0.0, self._provider.abilities.propagation):
            self._sleep(wait)
            check = self._check(old, "old")
            if check.verdict is not Verdict.LIVE:
                raise RotationError(
                    f"the rotation of {self._name} stopped: the old value is {check.verdict.value}, "
                    "so a new one may have been made and lost",
                    hint="ask again later: hygiene rotate --resume; if it stays so, make a new one by hand and give it "
                    f"to us: hygiene rotate confirm {self._name}",
                )

    def _refuse_overtaken(self) -> None:
        """End where a runner on another machine was first: what is at the provider by now may be its value."""
        told = self._store.describe(self._name)
        current = told.staged(CURRENT) if told else None
        if self._slots.pending() is not None or current is None or current.id != str(self._journal.facts["old"]):
            self._journal.finish()
            raise SupersededError(f"{self._name} was rotated by another runner meanwhile")

    def _adopted(self) -> bool:
        """Take up a pending value that was stored just before the kill, when this run had announced it."""
        found = self._slots.pending() if self._state.begun("storing") else None
        if found is None:
            return False
        self._journal.record("stored", version=found)
        return True

    def _put(self, secret: Secret) -> None:
        for attempt in range(_CLAIM_TRIES):
            token = self._token(attempt)
            if self._state.token != token:
                self._journal.record("storing", token=token)
            try:
                version = self._slots.put_new(secret, token)
            except ConflictError:
                # The token is derived from the replaced version, so that two runners get the same one and a
                # store lets only the first of them through. Where nothing is pending, an aborted try used it.
                if self._slots.pending() is not None or attempt == _CLAIM_TRIES - 1:
                    raise
                continue
            self._journal.record("stored", version=version)
            return

    def _token(self, attempt: int) -> str:
        facts = self._journal.facts
        text = "\0".join(("hygiene-rotate", self._store.uri, self._name, str(facts["old"]), str(attempt)))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _untouched(self) -> bool:
        """Say whether it is certain, after a refusal, that the provider changed nothing."""
        state = self._state
        if not state.begun("issuing"):
            return True
        if self._prepares:
            return self._check(self._slots.read_new(state.version), "new").verdict is Verdict.DEAD
        try:
            return not state.version and not self._orphans(self._slots.read_old())
        except ProviderError:
            return False

    def _leave(self) -> None:
        """End a rotation that changed nothing."""
        if self._state.version:
            self._slots.clear()
        self._journal.finish()

    def _withdraw(self, state: State) -> None:
        """Make the new value worthless and the old one valid."""
        old = self._slots.read_old()
        new = None
        if state.version:
            new = self._slots.read_new(state.version)
        elif state.sealed and self._sealer is not None:
            new = self._sealer.unseal(state.sealed)
        if new is None:
            self._clear_orphans(old)
        elif self._provider.abilities.overlap:
            with self._recorder.access("rotate.revoke", self._reference, provider=self._provider.name, which="new"):
                self._give_up(new, old)
        elif self._prepares and self._check(old, "old").verdict is not Verdict.LIVE:
            with self._recorder.access("rotate.issue", self._reference, provider=self._provider.name, which="old"):
                self._provider.issue(new, old)
        check = self._wait_for(old, Verdict.LIVE, "old")
        if check.verdict is not Verdict.LIVE and self._provider.abilities.verifiable:
            self._stuck(f"the old value is not proved to work again ({check.evidence or check.verdict.value})")

    def _give_up(self, new: Secret, staying: Secret) -> None:
        if isinstance(self._provider, Withdrawing) and self._provider.withdraws:
            self._provider.withdraw(staying)
        else:
            self._provider.revoke(new, staying)

    def _proved_dead(self, old: Secret) -> str:
        if not self._provider.abilities.verifiable:
            return "not verifiable"
        check = self._wait_for(old, Verdict.DEAD, "old")
        if check.verdict is not Verdict.DEAD:
            self._stuck(f"the old value is not proved to be dead ({check.evidence or check.verdict.value})")
        return check.evidence or "the provider refuses the old value"

    def _identifiers(self, current: Secret) -> frozenset[str]:
        return self._provider.identifiers(current) if isinstance(self._provider, Inventory) else frozenset()

    def _orphans(self, current: Secret) -> list[str]:
        return sorted(name for name in self._identifiers(current) if _digest(name) not in self._state.known)

    def _clear_orphans(self, current: Secret) -> None:
        """Remove what a cut-off issue may have left: nobody has its value."""
        if isinstance(self._provider, Withdrawing) and self._provider.withdraws:
            with self._recorder.access("rotate.discard", self._reference):
                self._provider.withdraw(current)
            return
        if not isinstance(self._provider, Inventory):
            self._stuck("the provider may have issued a value that was lost, and cannot be asked which")
        for identifier in self._orphans(current):
            with self._recorder.access("rotate.discard", self._reference, identifier=identifier):
                self._provider.discard(identifier, current)

    def _check(self, secret: Secret, which: str) -> Check:
        check = self._provider.verify(secret)
        # An exposure lives or dies with the old value; the new one's verdict has a name of its own.
        verdict = {"verdict" if which == "old" else "new_verdict": check.verdict.value}
        self._note("rotate.verify", OK, which=which, evidence=check.evidence, **verdict)
        return check

    def _wait_for(self, secret: Secret, wanted: Verdict, which: str) -> Check:
        """Ask until the answer is ``wanted`` or the provider had time enough to spread the change."""
        waited, delay = 0.0, _FIRST_DELAY
        check = self._check(secret, which)
        while check.verdict is not wanted and waited < self._provider.abilities.propagation:
            self._sleep(delay)
            waited, delay = waited + delay, min(2 * delay, _LONGEST_DELAY)
            check = self._check(secret, which)
        return check

    def _note(self, action: str, outcome: str, **detail: str) -> None:
        self._recorder.record(action, self._reference, outcome, provider=self._provider.name, **detail)

    def _note_companion(self, action: str) -> None:
        """Tell the same of the other half of a pair: its exposure ends with this one."""
        if self._companion:
            self._recorder.record(action, str(self._store.reference(self._companion)), OK, pair=self._reference)

    def _stuck(self, why: str) -> NoReturn:
        way_back = "" if self._state.begun("revoking") else f", or go back: hygiene rotate {self._name} --abort"
        raise RotationError(
            f"the rotation of {self._name} stopped: {why}", hint=f"go on later: hygiene rotate --resume{way_back}"
        )

    def _outcome(self, outcome: str, evidence: str = "") -> Rotated:
        gap = not self._provider.abilities.overlap
        return Rotated(self._name, self._reference, self._provider.name, outcome, gap, evidence)


def _digest(identifier: str) -> str:
    """Stand for an identifier in the journal: one half of a pair may be what leaked."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:16]
