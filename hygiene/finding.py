"""The values that flow out of detection into every other room.

Offsets are half-open byte offsets in the blob; lines and columns are 1-based. NamedTuples, since they are
made on the hot path (a frozen dataclass costs five times as much to define).
"""

from __future__ import annotations

from typing import NamedTuple

from hygiene.secret import Secret

SEVERITIES = ("low", "medium", "high", "critical")
CONFIDENCES = ("low", "medium", "high")


class Provenance(NamedTuple):
    """One place where a blob appears."""

    kind: str  # index, file, commit, message, tag, ref, archive, stdin, unreachable
    path: str  # forward slashes, undecodable bytes by surrogateescape, archive members after "!/"
    commit: str = ""  # full object id
    author: str = ""
    email: str = ""
    date: str = ""  # author date, ISO 8601 with offset
    message_subject: str = ""
    last_commit: str = ""  # newest commit known to hold it, full object id
    refs: tuple[str, ...] = ()  # refs that still reach it, the nearest ten


class Finding(NamedTuple):
    """A credential that is worth a person's time, and every place that holds it."""

    rule: str
    description: str
    severity: str  # one of SEVERITIES
    confidence: str  # one of CONFIDENCES
    path: str
    line_start: int
    line_end: int
    column_start: int  # in characters of the line, 1-based
    column_end: int  # exclusive
    start: int  # byte span of the secret in the blob
    end: int
    blob: str  # git object id, or "sha256:…" outside git
    secret: Secret
    fingerprint: str
    provenance: tuple[Provenance, ...] = ()
    status: str = "new"  # new, baselined, allowlisted
    verification: str = "unverified"  # unverified, live, dead, unknown
    entropy: float = 0.0  # Shannon, bits per byte
    tags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # how the confidence came about
    encoding: str = ""  # how the value stands at its place: "" (plain), base64, hex, percent, …


class Skipped(NamedTuple):
    """Something that was not scanned, and why."""

    path: str
    reason: str
    incomplete: bool = True  # False when the user asked for it (an excluded path)


class ScanStats(NamedTuple):
    """What was read."""

    blobs: int = 0
    bytes: int = 0
    commits: int = 0


class ScanResult(NamedTuple):
    """The outcome of one scan, in a stable order."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    stats: ScanStats
    interrupted: bool = False  # by Ctrl-C: these are the findings until then

    @property
    def new(self) -> tuple[Finding, ...]:
        """The findings that nobody has accepted yet."""
        return tuple(finding for finding in self.findings if finding.status == "new")

    @property
    def incomplete(self) -> bool:
        """Whether something that should have been read was not."""
        return self.interrupted or any(skip.incomplete for skip in self.skipped)
