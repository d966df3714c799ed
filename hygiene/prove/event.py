"""What an audit entry says. Never a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

INTENT = "intent"  # about to happen
OK = "ok"
FAILED = "failed"
DENIED = "denied"


class Actor(NamedTuple):
    """Who acts."""

    user: str  # OS user, by the effective user id and not by $USER
    git: str = ""  # "Name <email>" of the git identity
    subject: str = ""  # the CI's OIDC subject
    host: str = ""
    auth: str = ""  # what the subject rests on: a token that was read and not verified, ci-environment


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
    mac: str = ""  # hex
    prev_mac: str = ""  # hex; so that the next entry vouches for a mac too
    log: str = ""  # the chain it stands in; known from the file, not part of the entry


class Recorder(Protocol):
    """Where jobs leave their evidence; an access that can't be recorded must not happen."""

    def record(self, action: str, object: str, outcome: str, **detail: str) -> AuditEvent:
        """Append one entry durably; raises :class:`hygiene.errors.AuditError` when that fails."""

    def access(self, action: str, object: str, **detail: str) -> AbstractContextManager[MutableMapping[str, str]]:
        """Record the intent on entry and the outcome on exit (ok, denied, or failed with the error's class).

        What the body puts into the mapping that it is given joins the outcome's detail.
        """

    def reading(self, action: str, object: str, **detail: str) -> AbstractContextManager[MutableMapping[str, str]]:
        """Do as :meth:`access` for what hands nothing out before its outcome is on record, which may be quicker.

        The two entries may become durable together, with the outcome.
        """

    def events(self) -> Iterator[AuditEvent]:
        """Give the entries of every chain in the order of their times."""
