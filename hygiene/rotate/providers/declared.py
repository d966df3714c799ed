"""Providers that a rule's tables describe: asked and told over HTTP where a request is declared, else by a person.

What the table can't do is a step of the checklist, and the rotation waits for ``hygiene rotate confirm``. The tables'
requests name what they need in braces: ``{secret}``, the secret's labels and fields, ``{actor}`` (the admin
credential, else the secret itself; ``{actor_x}`` for a field of it), ``{current}``, ``{mark}``
and what was read before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hygiene.errors import OutcomeUnknownError, PersonNeededError, ProviderError
from hygiene.rotate.asking import Asker
from hygiene.rotate.declared import (
    Table,
    has_request,
    is_done,
    is_refused,
    json_of,
    parts_from_secret,
    steps_of,
    value_at,
)
from hygiene.rotate.net import HttpAnswer
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import fields_of, with_fields
from hygiene.secret import Secret

_STEPS = ("Make a new credential where the old one came from; leave the old one valid for now.",)
_SECRET_FIELDS = ("secret", "token", "key", "api_key", "client_secret", "password", "value")
_READ = {"done": [200]}


class DeclaredProvider:
    """What a rule declares of its provider; with no table at all, everything is done by a person."""

    name = "declared"

    def __init__(self, target: Target, asker: Asker | None = None) -> None:
        """Rotate for ``target``; labels: host, and what the tables' requests name in braces."""
        self._target = target
        self._asker = asker or Asker(target.fixed_hosts)
        rotates = has_request(self._table("rotate")) and target.answer is None
        self.abilities = Abilities(
            overlap=not rotates or bool(self._table("rotate").get("overlap")),
            self_service=rotates,
            idempotent_issue=not rotates,
            prepares=False,
            verifiable=has_request(self._table("verify")),
            propagation=10.0,
            same_identity=rotates and not self._table("rotate").get("overlap"),  # else it may be the token's own name
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
        values = self._values(current, current)
        if not self._ended_by_issue and _needs_id(self._table("revoke")):
            self._identify(current, values)  # before anything changes: it could not be revoked afterwards
        answer = self._act(table, values)
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
        return self._asker.check(table, self._values(secret, secret), host=self._host, allowed=self._target.hosts)

    def revoke(self, old: Secret, current: Secret) -> None:
        """End ``old`` as the table says; a person was asked before where it doesn't."""
        if has_request(self._table("revoke")) and not self._ended_by_issue:
            self._end(old, current)

    def kill(self, secret: Secret) -> None:
        """End ``secret`` as the table says."""
        table = self._table("revoke")
        if not has_request(table):
            raise _person_needed(f"{self._target.name} can only be revoked by hand", steps_of(table))
        self._end(secret, secret)

    @property
    def revokes(self) -> bool:
        """Whether the provider is told to revoke, and not a person."""
        return has_request(self._table("revoke")) or self._ended_by_issue

    def revoke_steps(self) -> tuple[str, ...]:
        """Give the steps by which a person revokes."""
        return steps_of(self._table("revoke"))

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Name the credentials that bear our mark; none is left by a person, or where the old value just ends."""
        if self._target.answer is not None or "list" not in self._table("rotate"):
            return frozenset()
        return frozenset(identifier for identifier, item in self._listed(current) if self._is_marked(item))

    def discard(self, identifier: str, current: Secret) -> None:
        """End a credential of ours whose value was lost."""
        rotate = self._table("rotate")
        table = rotate.get("discard") or self._table("revoke")
        answer = self._act(table, {**self._values(current, current), "id": identifier})
        if not is_done(table, answer):
            raise ProviderError(f"the provider did not remove {identifier}: {_summary(answer)}")

    @property
    def withdraws(self) -> bool:
        """Whether there is one place for a new value that can be emptied."""
        return "withdraw" in self._table("rotate")

    def withdraw(self, current: Secret) -> None:
        """Empty that place."""
        table: Table = self._table("rotate")["withdraw"]
        answer = self._act(table, self._values(current, current))
        if not is_done(table, answer):
            raise ProviderError(f"the provider did not take the new value back: {_summary(answer)}")

    @property
    def _ended_by_issue(self) -> bool:
        """Whether the old value died when the new one was made: both may share the id, so nothing is revoked."""
        return self.abilities.self_service and not self.abilities.overlap

    @property
    def _host(self) -> str:
        return self._target.labels.get("host", "")

    def _table(self, action: str) -> Table:
        return self._target.tables.get(action, {})

    def _end(self, secret: Secret, current: Secret) -> None:
        table, values = self._table("revoke"), self._values(secret, current)
        if _needs_id(table):
            values["id"] = self._identify(secret, values)
        problem = ""
        try:
            answer = self._act(table, values)
            problem = "" if is_done(table, answer) else _summary(answer)
        except ProviderError as error:  # what had to be read first may be refused because it is dead already
            problem = error.message
        if problem and self.verify(secret).verdict is not Verdict.DEAD:
            raise ProviderError(f"the provider did not revoke: {problem}")

    def _act(self, table: Table, values: dict[str, Any]) -> HttpAnswer:
        """Send the request of ``table``, after the one that it needs to have been answered first."""
        if "read" in table:
            self._read(table["read"], values)
        return self._asker.act(table, values, host=self._host, allowed=self._target.hosts)

    def _read(self, table: Table, values: dict[str, Any]) -> None:
        answer = self._asker.act(table, values, host=self._host, allowed=self._target.hosts)
        told = json_of(answer) if is_done({**_READ, **table}, answer) else None
        for name, pointer in table["keep"].items():
            found = value_at(told, pointer)
            if found is None:
                raise ProviderError(f"the provider did not tell {name}, so nothing was changed: {_summary(answer)}")
            values[name] = found if isinstance(found, (list, dict)) else str(found)

    def _values(self, secret: Secret, current: Secret) -> dict[str, Any]:
        text, fields = _taken_apart(secret)
        kept, _ = _taken_apart(current)
        actor, acting = _taken_apart(self._target.admin or current)
        told = {**self._target.labels, **fields, **parts_from_secret(self._table("revoke"), text)}
        actors = {f"actor_{key}": value for key, value in {**told, **acting}.items()}
        mark = f"hygiene {self._target.name}"
        return {**told, **actors, "secret": text, "current": kept, "actor": actor, "mark": mark}

    def _identify(self, secret: Secret, values: Mapping[str, Any]) -> str:
        """Find by which id the provider knows ``secret``: stored beside it, inside it, or told by the list."""
        if known := values.get("id"):
            return str(known)
        listed = self._table("rotate").get("list", {})
        text = str(values["secret"])
        if match := listed.get("match"):
            ends = ((identifier, value_at(item, match)) for identifier, item in self._listed(secret))
            found = [name for name, end in ends if isinstance(end, str) and end and _is_end(end, text)]
            if len(found) == 1:
                return found[0]
        raise ProviderError(
            f"it is not known which credential at the provider {self._target.name} is",
            hint='store it as {"id": "…", "secret": "…"}, or set its label id',
        )

    def _listed(self, current: Secret) -> Iterator[tuple[str, Any]]:
        table: Table = self._table("rotate")["list"]
        answer = self._act(table, self._values(current, current))
        items = value_at(json_of(answer), table["items"]) if is_done({**_READ, **table}, answer) else None
        if not isinstance(items, list):
            raise ProviderError(f"the provider did not list its credentials: {_summary(answer)}")
        for item in items:
            if (identifier := value_at(item, table["id"])) is not None:
                yield str(identifier), item

    def _is_marked(self, item: Any) -> bool:
        return bool(value_at(item, self._table("rotate")["list"]["name"]) == f"hygiene {self._target.name}")

    def _issued(self, table: Table, answer: HttpAnswer, current: Secret) -> Secret:
        told = json_of(answer)
        value = value_at(told, table.get("value", "/token"))
        if not isinstance(value, str) or not value:
            raise OutcomeUnknownError("the provider's answer to the rotation holds no new value")
        if value == _taken_apart(current)[0]:
            raise ProviderError("the provider gave the old value as the new one")
        fields = fields_of(current)
        if not fields:
            return Secret.from_text(value)
        identifier = value_at(told, table["id"]) if "id" in table else None
        changed = {**fields, _secret_field(fields): value}
        return with_fields(current, {**changed, "id": str(identifier)} if identifier is not None else changed)


def _taken_apart(secret: Secret) -> tuple[str, dict[str, str]]:
    """Give the credential itself, and the fields that it was stored with."""
    fields = {key: str(value) for key, value in (fields_of(secret) or {}).items()}
    text = secret.reveal().decode("utf-8", "surrogateescape").strip()
    return (fields.get(_secret_field(fields), text) if fields else text), fields


def _secret_field(fields: Mapping[str, Any]) -> str:
    return next((name for name in _SECRET_FIELDS if name in fields), _SECRET_FIELDS[0])


def _needs_id(table: Table) -> bool:
    return "{id}" in str(table) and "id" not in table.get("read", {}).get("keep", {})


def _is_end(end: str, text: str) -> bool:
    return text.startswith(end) or text.endswith(end)


def _person_needed(problem: str, steps: tuple[str, ...]) -> PersonNeededError:
    return PersonNeededError(problem, hint="\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1)))


def _summary(answer: HttpAnswer) -> str:
    return answer.problem or f"HTTP {answer.status}"
