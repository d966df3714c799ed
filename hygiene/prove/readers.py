"""Who has read a stored secret, from the audit log: those who notice when it stops working. Pure, without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hygiene.prove.event import OK, AuditEvent

_READ = "secret.get"


class Reader(NamedTuple):
    """Somebody, and their reads."""

    who: str
    times: int
    last: str  # time of the last one, as the log has it


def readers_of(reference: str, events: Iterable[AuditEvent]) -> tuple[Reader, ...]:
    """Give who read the secret of ``reference`` (without stage or field), the latest reader first."""
    found: dict[str, Reader] = {}
    for event in events:
        if event.object.partition("#")[0].partition("?")[0] == reference and event.action == _READ:
            if event.outcome != OK:
                continue
            who = str(event.actor.get("subject") or event.actor.get("git") or event.actor.get("user") or "unknown")
            times = found[who].times if who in found else 0
            found[who] = Reader(who, times + 1, event.time)
    return tuple(sorted(found.values(), key=lambda reader: reader.last, reverse=True))
