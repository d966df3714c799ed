"""What only a person can rotate: a checklist, and a rotation that waits for ``hygiene rotate confirm``."""

from __future__ import annotations

from hygiene.errors import PersonNeededError, ProviderError
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.secret import Secret

_STEPS = ("Make a new credential where the old one came from; leave the old one valid for now.",)


class ManualProvider:
    """Waits for the new value, and then for word that the old one was revoked."""

    name = "manual"
    abilities = Abilities(
        overlap=True, self_service=False, idempotent_issue=True, prepares=False, verifiable=False, propagation=0
    )

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``, which may bring the steps and the new value."""
        self._target = target

    def prepare(self, current: Secret) -> Secret | None:
        """Leave it to the person."""
        return None

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Give the value that the person brought; PersonNeededError with the checklist before."""
        name, new = self._target.name, self._target.answer
        if new is None:
            steps = [*(self._target.steps or _STEPS), f"Give it to us on stdin: hygiene rotate confirm {name}"]
            raise PersonNeededError(
                f"{name} can only be rotated by hand",
                hint="\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1)),
            )
        if new == current:
            raise ProviderError("that is the old value", hint="make a new one at the provider first")
        return new

    def verify(self, secret: Secret) -> Check:
        """Nobody can be asked."""
        return Check(Verdict.UNKNOWN, "only a person can tell")

    def revoke(self, old: Secret, current: Secret) -> None:
        """Trust the person, whose word was asked for before."""

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Nothing is left behind by a person who has not answered."""
        return frozenset()

    def discard(self, identifier: str, current: Secret) -> None:
        """Never called, since there are no identifiers."""
