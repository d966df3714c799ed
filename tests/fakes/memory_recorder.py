"""A recorder that keeps its events in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hygiene.prove.event import AuditEvent


class MemoryRecorder:
    def __init__(self) -> None:
        self.kept: list[AuditEvent] = []

    def record(self, action: str, object: str, outcome: str, **detail: str) -> AuditEvent:
        event = AuditEvent(len(self.kept), "", {}, action, object, outcome, detail, "", "")
        self.kept.append(event)
        return event

    @contextmanager
    def access(self, action: str, object: str, **detail: str) -> Iterator[None]:
        self.record(action, object, "intent", **detail)
        try:
            yield
        except Exception as error:
            self.record(action, object, "failed", error=type(error).__name__)
            raise
        self.record(action, object, "ok", **detail)

    reading = access

    def events(self) -> Iterator[AuditEvent]:
        return iter(self.kept)
