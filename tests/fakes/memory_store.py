"""A store in memory that keeps the protocol's promises, with or without CAS, stages and versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from hygiene.errors import ConflictError, NotFoundError
from hygiene.reference import Reference
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, PREVIOUS, Capabilities, Expect, StoredSecret, Version


class MemoryStore:
    def __init__(self, capabilities: Capabilities = Capabilities()) -> None:  # noqa: B008
        self.uri = "memory:"
        self.capabilities = capabilities
        self.values: dict[str, dict[str, Secret]] = {}
        self.stages: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, dict[str, str]] = {}
        self.told: dict[str, StoredSecret] = {}

    def reference(self, name: str, *, field: str = "") -> Reference:
        return Reference("embedded", name, (), field)

    def name_of(self, reference: Reference) -> str:
        return reference.path

    def describe(self, name: str) -> StoredSecret | None:
        if name not in self.told:
            return None
        now = datetime.now(UTC)
        stages = self.stages[name]
        versions = tuple(
            Version(id, now, frozenset(stage for stage, at in stages.items() if at == id))
            for id in reversed(self.values[name])
        )
        return self.told[name]._replace(versions=versions)

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        for name in sorted(self.told):
            if name.startswith(prefix):
                told = self.describe(name)
                assert told is not None
                yield told

    def put(
        self,
        name: str,
        secret: Secret,
        *,
        expect: str | Expect = Expect.ANYTHING,
        token: str,
        stage: str = CURRENT,
        expires: datetime | None = None,
        labels: tuple[tuple[str, str], ...] = (),
    ) -> Version:
        assert 32 <= len(token) <= 64
        assert self.capabilities.cas or expect is Expect.ANYTHING
        assert self.capabilities.stages or stage == CURRENT
        now = datetime.now(UTC)
        known = self.tokens.setdefault(name, {})
        if token in known:
            if self.values[name][known[token]] != secret:
                raise ConflictError("token was used with another value")
            return Version(known[token], now, frozenset())
        current = self.stages.get(name, {}).get(CURRENT)
        if (expect is Expect.ABSENT and current) or (isinstance(expect, str) and expect != current):
            raise ConflictError("not the expected version")
        values = self.values.setdefault(name, {})
        id = f"v{len(known) + 1}"
        if not self.capabilities.versions:
            values.clear()
        values[id] = secret
        known[token] = id
        stages = self.stages.setdefault(name, {})
        if stage == CURRENT and current and self.capabilities.stages:
            stages[PREVIOUS] = current
        stages[stage] = id
        self.told.setdefault(name, StoredSecret(name, self.reference(name), "hygiene", (), now, labels=labels))
        return Version(id, now, frozenset((stage,)))

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        assert self.capabilities.versions or version is None
        try:
            return self.values[name][version or self.stages[name][stage]]
        except KeyError:
            raise NotFoundError(f"no {name}") from None

    def promote(self, name: str, version: str, *, expect: str) -> None:
        stages = self.stages[name]
        if stages[CURRENT] == version:
            return
        if stages[CURRENT] != expect:
            raise ConflictError("another version is current")
        stages[CURRENT], stages[PREVIOUS] = version, expect

    def unstage(self, name: str, stage: str) -> None:
        self.stages[name].pop(stage, None)

    def expire(self, name: str, at: datetime | None) -> None:
        self.told[name] = self.told[name]._replace(expires=at)

    def mark_due(self, name: str, at: datetime | None) -> None:
        self.told[name] = self.told[name]._replace(due=at)

    def adopt(self, name: str) -> None:
        self.told[name] = self.told[name]._replace(owner="hygiene")

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        for kept in (self.told, self.values, self.stages, self.tokens):
            kept.pop(name)  # type: ignore[attr-defined]

    def restore(self, name: str) -> None:
        raise NotFoundError(name)
