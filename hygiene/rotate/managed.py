"""A rotation that the store's own function makes (AWS Secrets Manager): started, watched, and proved by us.

The function chooses the value and ends the old one; whether it did is asked for at the provider, where that can be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from hygiene.errors import RotationError
from hygiene.journal import Journal
from hygiene.prove.event import OK, Recorder
from hygiene.rotate.copies import Copy
from hygiene.rotate.provider import Check, Verdict
from hygiene.rotate.rotation import Rotated
from hygiene.rotate.state import state_from_entries
from hygiene.secret import Secret
from hygiene.store.protocol import SelfRotating, Store

PROVIDER = "store"  # in place of a provider's name
_PATIENCE = 900.0  # seconds; a function has 15 minutes at most
_BETWEEN = 5.0


class Managed:
    """One rotation of this kind."""

    def __init__(
        self,
        rotating: SelfRotating,
        store: Store,
        recorder: Recorder,
        journal: Journal,
        *,
        verify: Callable[[Secret], Check],
        copies: Sequence[Copy] = (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Let ``rotating`` do it, and read from ``store``, the same in its audit; ``verify`` asks the provider."""
        self._rotating, self._store, self._recorder, self._journal = rotating, store, recorder, journal
        self._verify, self._copies, self._sleep = verify, copies, sleep
        self._name, self._token = str(journal.facts["name"]), str(journal.facts["token"])
        self._reference = str(store.reference(self._name))

    def run(self) -> Rotated:
        """Start the rotation unless that was done, and wait for it; raises RotationError, and can be run again then."""
        if not state_from_entries(self._journal.entries()).begun("started"):
            with self._recorder.access("rotate.issue", self._reference, provider=PROVIDER):
                self._rotating.start_rotation(self._name, self._token)
            self._journal.record("started")
        self._wait()
        self._recorder.record("rotate.promote", self._reference, OK, provider=PROVIDER, version=self._token)
        for copy in self._copies:
            with self._recorder.access("rotate.copy", self._reference, provider=PROVIDER, to=copy.place):
                copy.write(self._store.get(self._name))
        evidence = self._prove()
        self._recorder.record("rotate.done", self._reference, OK, provider=PROVIDER, evidence=evidence)
        self._journal.finish()
        return Rotated(self._name, self._reference, PROVIDER, "rotated", evidence=evidence)

    def _wait(self) -> None:
        waited = 0.0
        while not self._rotating.is_rotated(self._name, self._token):
            if waited >= _PATIENCE:
                raise RotationError(
                    f"the function that rotates {self._name} has not finished in {waited:.0f} s",
                    hint="its log tells why; then go on watching: hygiene rotate --resume",
                )
            self._sleep(_BETWEEN)
            waited += _BETWEEN

    def _prove(self) -> str:
        """Ask whether the new value works and the old one does not, where the provider is known."""
        new = self._verify(self._store.get(self._name))
        self._note(new, "new")
        if new.verdict is Verdict.DEAD:
            raise RotationError(
                f"the function finished, but the new value of {self._name} is dead: {new.evidence}",
                hint="go back by hand: move AWSCURRENT to the previous version",
            )
        old = self._verify(self._store.get(self._name, version=str(self._journal.facts["old"])))
        self._note(old, "old")
        if old.verdict is Verdict.LIVE:
            raise RotationError(
                f"the old value of {self._name} still works: its function lets two users take turns",
                hint=f"the next rotation ends it: hygiene rotate {self._name} --abort, and rotate it once more",
            )
        if old.verdict is Verdict.DEAD:
            self._recorder.record("rotate.revoke", self._reference, OK, provider=PROVIDER, evidence=old.evidence)
        return old.evidence or "the provider can't be asked"

    def _note(self, check: Check, which: str) -> None:
        verdict = {"verdict" if which == "old" else "new_verdict": check.verdict.value}
        self._recorder.record("rotate.verify", self._reference, OK, which=which, evidence=check.evidence, **verdict)
