"""Providers that a rule's tables describe: asked and told over HTTP where a request is declared, else by a person.

What the table can't do is a step of the checklist, and the rotation waits for ``hygiene rotate confirm``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hygiene.errors import OutcomeUnknownError, PersonNeededError, ProviderError
from hygiene.rotate.asking import Asker
from hygiene.rotate.declared import Table, has_request, is_done, is_refused, steps_of
from hygiene.rotate.net import HttpAnswer
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import fields_of, with_fields
from hygiene.secret import Secret

_STEPS = ("Make a new credential where the old one came from; leave the old one valid for now.",)


class DeclaredProvider:
    """What a rule declares of its provider; with no table at all, everything is done by a person."""

    name = "declared"

    def __init__(self, target: Target, asker: Asker | None = None) -> None:
        """Rotate for ``target``; labels: host, and what the tables' requests name in braces."""
        self._target = target
        self._asker = asker or Asker(target.fixed_hosts)
        rotates = has_request(self._table("rotate"))
        self.abilities = Abilities(
            overlap=not rotates,
            self_service=rotates,
            idempotent_issue=not rotates,
            prepares=False,
            verifiable=has_request(self._table("verify")),
            propagation=10.0,
        )

    def prepare(self, current: Secret) -> Secret | None:
        """Leave it to the provider, or to the person."""
        return None

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Send the request for a new value, or take the one that a person brought."""
        table, new = self._table("rotate"), self._target.answer
        if new is not None:
            if new == current:
                raise ProviderError("that is the old value", hint="make a new one at the provider first")
            return new
        if not has_request(table):
            steps = (
                *(steps_of(table) or _STEPS),
                f"Give it to us on stdin: hygiene rotate confirm {self._target.name}",
            )
            raise _person_needed(f"{self._target.name} can only be rotated by hand", steps)
        answer = self._act(table, current)
        if is_done(table, answer):
            return self._issued(table, answer, current)
        if is_refused(answer):
            raise ProviderError(f"the provider refused to rotate: {_summary(answer)}")
        raise OutcomeUnknownError(f"the request to rotate was cut: {_summary(answer)}")

    def verify(self, secret: Secret) -> Check:
        """Ask as the table says."""
        table = self._table("verify")
        if not has_request(table):
            return Check(Verdict.UNKNOWN, "only a person can tell")
        return self._asker.check(table, self._values(secret), host=self._host, allowed=self._target.hosts)

    def revoke(self, old: Secret, current: Secret) -> None:
        """End ``old`` as the table says; a person was asked before where it doesn't."""
        if has_request(self._table("revoke")):
            self.kill(old)

    def kill(self, secret: Secret) -> None:
        """End ``secret`` as the table says."""
        table = self._table("revoke")
        if not has_request(table):
            raise _person_needed(f"{self._target.name} can only be revoked by hand", steps_of(table))
        answer = self._act(table, secret)
        if not is_done(table, answer) and self.verify(secret).verdict is not Verdict.DEAD:
            raise ProviderError(f"the provider did not revoke: {_summary(answer)}")

    @property
    def revokes(self) -> bool:
        """Whether the provider is told to revoke, and not a person."""
        return has_request(self._table("revoke"))

    def revoke_steps(self) -> tuple[str, ...]:
        """Give the steps by which a person revokes."""
        return steps_of(self._table("revoke"))

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Nothing is left behind by a person who has not answered; a self-rotation ends the old value itself."""
        return frozenset()

    def discard(self, identifier: str, current: Secret) -> None:
        """Never called, since there are no identifiers."""

    @property
    def _host(self) -> str:
        return self._target.labels.get("host", "")

    def _table(self, action: str) -> Table:
        return self._target.tables.get(action, {})

    def _act(self, table: Table, secret: Secret) -> HttpAnswer:
        return self._asker.act(table, self._values(secret), host=self._host, allowed=self._target.hosts)

    def _values(self, secret: Secret) -> Mapping[str, str]:
        fields = {key: str(value) for key, value in (fields_of(secret) or {}).items()}
        text = secret.reveal().decode("utf-8", "surrogateescape").strip()
        return {**self._target.labels, "secret": text, **fields}

    def _issued(self, table: Table, answer: HttpAnswer, current: Secret) -> Secret:
        try:
            value: Any = json.loads(answer.body)
            for key in str(table.get("value", "/token")).strip("/").split("/"):
                value = value[key]
        except (ValueError, KeyError, TypeError):
            value = None
        if not isinstance(value, str) or not value:
            raise OutcomeUnknownError("the provider's answer to the rotation holds no new value")
        fields = fields_of(current)
        return with_fields(current, {**fields, "secret": value}) if fields else Secret.from_text(value)


def _person_needed(problem: str, steps: tuple[str, ...]) -> PersonNeededError:
    return PersonNeededError(problem, hint="\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1)))


def _summary(answer: HttpAnswer) -> str:
    return answer.problem or f"HTTP {answer.status}"
