"""The half of a rotation that makes the new value: stored and valid once, whatever was cut before.

Where we choose the value, it is stored as pending before the provider changes. Where the provider makes it, it
is sealed into the journal and stored the moment it arrives. A call whose outcome is unknown is settled by asking
for both values, and is never just repeated.
"""

from __future__ import annotations

import hashlib

from hygiene.errors import ConflictError, OutcomeUnknownError, ProviderError, RotationError, SupersededError
from hygiene.prove.event import FAILED
from hygiene.rotate.provider import Inventory, Verdict, Withdrawing
from hygiene.rotate.work import Work
from hygiene.secret import Secret

_ISSUE_TRIES = 3
_CLAIM_TRIES = 8
_AFTER_UNKNOWN = 2.0  # seconds that a provider gets to show what it did


class Issuing:
    """Makes the new value of one rotation, or takes it back."""

    def __init__(self, work: Work) -> None:
        """Work on ``work``."""
        self._work = work

    def store_pending(self) -> None:
        """Make the new value and store it before anything changes at the provider."""
        if self.adopted():
            return
        work = self._work
        prepared = work.provider.prepare(work.slots.read_old())
        if prepared is None:
            raise RotationError(f"the provider {work.provider.name} said it prepares values, and made none")
        try:
            self._put(prepared)
        except ConflictError:
            work.journal.finish()  # another runner was first, and nothing of ours was written
            raise

    def issue(self) -> None:
        """Make the new value valid, whatever an earlier try did or did not do."""
        work = self._work
        for _ in range(_ISSUE_TRIES):
            resumed = work.state.begun("issuing")
            if resumed and self._settled():
                break
            try:
                self._issue_once()
                break
            except OutcomeUnknownError as error:
                work.note("rotate.issue", FAILED, evidence=error.message)
                work.sleep(_AFTER_UNKNOWN)
            except ProviderError as error:
                work.note("rotate.issue", FAILED, evidence=error.message)
                if not resumed and self._untouched():
                    self._leave()
                raise
        else:
            work.stuck("it is not known whether the provider issued the new value")
        work.journal.record("issued")

    def withdraw(self) -> None:
        """Make the new value worthless and the old one valid."""
        work, state = self._work, self._work.state
        old = work.slots.read_old()
        new = None
        if state.version:
            new = work.slots.read_new(state.version)
        elif state.sealed and work.sealer is not None:
            new = work.sealer.unseal(state.sealed)
        if new is None:
            self._clear_orphans(old)
        elif work.provider.abilities.overlap:
            with work.access("rotate.revoke", which="new"):
                self._give_up(new, old)
            if not state.begun("verified") and isinstance(work.provider, Inventory):
                self._clear_orphans(old)  # what came may be a part of what was made
        elif work.prepares and work.check(old, "old").verdict is not Verdict.LIVE:
            with work.access("rotate.issue", which="old"):
                work.provider.issue(new, old)
        work.prove(old, Verdict.LIVE, "old", "the old value is not proved to work again")

    def take(self, answer: Secret) -> None:
        """Put ``answer``, which a person brings, in the place of a new value that is not proved to work."""
        work = self._work
        if answer == work.slots.read_old():
            raise ProviderError("that is the old value", hint="make a new one at the provider first")
        work.slots.clear()
        self._put(answer)

    def adopted(self) -> bool:
        """Take up a pending value that was stored just before the kill, when this run had announced it."""
        found = self._work.slots.pending() if self._work.state.begun("storing") else None
        if found is None:
            return False
        self._work.journal.record("stored", version=found)
        return True

    def _issue_once(self) -> None:
        work = self._work
        old = work.slots.read_old()
        prepared = work.slots.read_new(work.state.version) if work.prepares else None
        if not work.state.begun("issuing"):
            work.journal.record("issuing", known=sorted(map(_digest, self._identifiers(old))))
        with work.access("rotate.issue"):
            issued = work.provider.issue(old, prepared)
            if issued == old:  # to revoke it later would leave nothing that works
                raise ProviderError(f"the provider {work.provider.name} gave the old value as the new one")
        if prepared is None:
            self._keep(issued)
        elif issued != prepared:
            raise RotationError(f"the provider {work.provider.name} issued another value than the prepared one")

    def _keep(self, issued: Secret) -> None:
        """Bring a value that only this process knows to a safe place at once."""
        work = self._work
        if work.sealer is not None and not work.state.sealed:
            work.journal.record("sealed", value=work.sealer.seal(issued))
        try:
            self._put(issued)
        except ConflictError:
            # Another runner was first. Its value is the one that counts, so ours must not stay valid.
            self._give_up(issued, work.slots.read_current())
            work.journal.finish()
            raise

    def _settled(self) -> bool:
        """Say whether an issue of unknown outcome has happened; clears up what it left where it can't be used."""
        work, state = self._work, self._work.state
        if not work.prepares:
            return self._recovered()
        new = work.check(work.slots.read_new(state.version), "new")
        if new.verdict is Verdict.LIVE:
            return True
        old = work.check(work.slots.read_old(), "old")
        if new.verdict is Verdict.DEAD and old.verdict is Verdict.LIVE:
            return False
        if work.provider.abilities.idempotent_issue and new.verdict is Verdict.DEAD:
            return False
        work.stuck(f"the new value is {new.verdict.value}, the old one {old.verdict.value}")

    def _recovered(self) -> bool:
        work, state, able = self._work, self._work.state, self._work.provider.abilities
        if state.version or self.adopted():
            return True
        if state.sealed and work.sealer is not None:
            self._keep(work.sealer.unseal(state.sealed))
            return True
        if work.replaced_meanwhile():  # what is at the provider by now may be the value of a runner elsewhere
            work.journal.finish()
            raise SupersededError(f"{work.name} was rotated by another runner meanwhile")
        old = work.slots.read_old()
        if not able.overlap and not able.idempotent_issue:
            self._refuse_lost(old)
        self._clear_orphans(old)
        return False

    def _refuse_lost(self, old: Secret) -> None:
        """Stop where the old value ended with the new one's birth; it has to live long enough to prove the contrary.

        At some providers a rotation of a value that was rotated already ends its successor, too.
        """
        work = self._work
        for wait in (0.0, work.provider.abilities.propagation):
            work.sleep(wait)
            check = work.check(old, "old")
            if check.verdict is not Verdict.LIVE:
                raise RotationError(
                    f"the rotation of {work.name} stopped: the old value is {check.verdict.value}, "
                    "so a new one may have been made and lost",
                    hint="ask again later: hygiene rotate --resume; if it stays so, make a new one by hand and give it "
                    f"to us: hygiene rotate confirm {work.name}",
                )

    def _put(self, secret: Secret) -> None:
        work = self._work
        for attempt in range(_CLAIM_TRIES):
            token = self._token(attempt)
            if work.state.token != token:
                work.journal.record("storing", token=token)
            try:
                version = work.slots.put_new(secret, token)
            except ConflictError:
                # The token is derived from the replaced version, so that two runners get the same one and a
                # store lets only the first of them through. Where nothing is pending, an aborted try used it.
                if work.slots.pending() is not None or attempt == _CLAIM_TRIES - 1:
                    raise
                continue
            work.journal.record("stored", version=version)
            return

    def _token(self, attempt: int) -> str:
        work = self._work
        text = "\0".join(("hygiene-rotate", work.store.uri, work.name, work.old, str(attempt)))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _untouched(self) -> bool:
        """Say whether it is certain, after a refusal, that the provider changed nothing."""
        work, state = self._work, self._work.state
        if not state.begun("issuing"):
            return True
        if work.prepares:
            return work.check(work.slots.read_new(state.version), "new").verdict is Verdict.DEAD
        try:
            return not state.version and not self._orphans(work.slots.read_old())
        except ProviderError:
            return False

    def _leave(self) -> None:
        """End a rotation that changed nothing."""
        if self._work.state.version:
            self._work.slots.clear()
        self._work.journal.finish()

    def _give_up(self, new: Secret, staying: Secret) -> None:
        provider = self._work.provider
        if isinstance(provider, Withdrawing) and provider.withdraws:
            provider.withdraw(staying)
        else:
            provider.revoke(new, staying)

    def _identifiers(self, current: Secret) -> frozenset[str]:
        provider = self._work.provider
        return provider.identifiers(current) if isinstance(provider, Inventory) else frozenset()

    def _orphans(self, current: Secret) -> list[str]:
        known = self._work.state.known
        return sorted(name for name in self._identifiers(current) if _digest(name) not in known)

    def _clear_orphans(self, current: Secret) -> None:
        """Remove what a cut-off issue may have left: nobody has its value."""
        work, provider = self._work, self._work.provider
        if isinstance(provider, Withdrawing) and provider.withdraws:
            with work.access("rotate.discard"):
                provider.withdraw(current)
            return
        if not isinstance(provider, Inventory):
            work.stuck("the provider may have issued a value that was lost, and cannot be asked which")
        for identifier in self._orphans(current):
            with work.access("rotate.discard", identifier=identifier):
                provider.discard(identifier, current)


def _digest(identifier: str) -> str:
    """Stand for an identifier in the journal: one half of a pair may be what leaked."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:16]
