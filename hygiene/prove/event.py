"""What an audit entry says. Never a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Actor(NamedTuple):
    """Who acts."""

    user: str  # OS user
    git: str = ""  # "Name <email>" of the git identity
    subject: str = ""  # the CI's OIDC subject


class AuditEvent(NamedTuple):
    """One entry of the log."""

    seq: int
    time: str  # UTC, RFC 3339 with milliseconds
    actor: Mapping[str, str]
    action: str  # secret.get, secret.put, migrate.replace, rotate.issue, …
    object: str  # a reference, a path, or a name
    outcome: str  # intent, ok, failed, denied
    detail: Mapping[str, str]
    prev: str  # hex
    hash: str  # hex


class Recorder(Protocol):
    """Where jobs leave their evidence; an access that can't be recorded must not happen."""

    def record(self, action: str, object: str, outcome: str, **detail: str) -> AuditEvent:
        """Append one entry durably; raises :class:`hygiene.errors.AuditError` when that fails."""

    def access(self, action: str, object: str, **detail: str) -> AbstractContextManager[None]:
        """Record the intent on entry and the outcome on exit (ok, or failed with the error's class)."""

    def events(self) -> Iterator[AuditEvent]:
        """Give the entries in order."""
