"""The story of one leaked secret: a value that flows from the evidence to the reports."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

STATES = ("open", "contained", "rotated", "closed", "accepted")


class Moment(NamedTuple):
    """When something happened, who did it, and the entry of the audit log that proves it."""

    time: datetime
    who: str
    evidence: str  # "LOG:SEQ" of the audit log, or the commit's id


class Exposure(NamedTuple):
    """One leaked secret, from its introduction to its end."""

    fingerprint: str
    state: str  # open: nothing was done; contained: stored and replaced; rotated: a new value is current;
    # closed: the leaked value is worthless; accepted: somebody answers for leaving it
    rule: str
    description: str
    severity: str
    secret: str  # redacted
    verification: str  # unverified, live, dead, unknown
    introduced: Moment | None = None  # the first commit that holds it; None where it was never committed
    commits: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()  # branches and tags that reach one of the commits
    reference: str = ""  # where it is stored
    stored: Moment | None = None
    rotated: Moment | None = None
    revoked: Moment | None = None
    accepted: Moment | None = None
    reason: str = ""  # why it was accepted
    accepted_until: str = ""  # date; empty for ever
    evidence: tuple[str, ...] = ()  # every entry of the audit log that speaks of it
    replaced: tuple[str, ...] = ()  # commits on the way to HEAD that took it out of a file

    @property
    def ended(self) -> datetime | None:
        """When the leaked value became worthless."""
        return self.revoked.time if self.revoked else None

    def seconds_to(self, end: Moment | None) -> float | None:
        """Give the seconds from the introduction to ``end``; None where either is unknown."""
        if self.introduced is None or end is None:
            return None
        return max((end.time - self.introduced.time).total_seconds(), 0.0)
