"""Findings made at run time, for the reporters' tests: no test holds a value that looks live."""

from __future__ import annotations

import hashlib
from typing import Any

from hygiene.finding import Finding, Provenance, ScanResult, ScanStats, Skipped
from hygiene.secret import Secret

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def value(number: int) -> str:
    """Make a value that occurs nowhere else."""
    return "tok" + "en_" + hashlib.sha256(b"value %d" % number).hexdigest()[:34]


def finding(number: int = 1, **changes: Any) -> Finding:
    """Make a finding that differs by ``number``."""
    made = Finding(
        rule="example-token",
        description="Example token",
        severity="high",
        confidence="high",
        path=f"src/app{number}.py",
        line_start=number,
        line_end=number,
        column_start=9,
        column_end=49,
        start=100,
        end=140,
        blob=hashlib.sha1(b"%d" % number).hexdigest(),
        secret=Secret.from_text(value(number)),
        fingerprint=f"hyg1:{number:032x}",
        entropy=3.98765,
        tags=("example",),
    )
    return made._replace(**changes)


def place(path: str = "src/app1.py", **changes: str) -> Provenance:
    """Make a place in a commit."""
    facts = {"commit": COMMIT, "author": "Ada", "email": "ada@example.org", "date": "2026-01-02T03:04:05+01:00"}
    return Provenance("commit", path, **{**facts, "message_subject": "Add app", **changes})


def result(*findings: Finding, skipped: tuple[Skipped, ...] = (), stats: ScanStats | None = None) -> ScanResult:
    """Make the result of a scan that found ``findings``."""
    return ScanResult(findings, skipped, stats or ScanStats(12, 3456, 7))


def hostile() -> Finding:
    """Make a finding whose surroundings hold the value, markup, controls and bytes that are no text."""
    word = value(666)
    path = f"a b/<img src=x onerror=alert(1)>/::error::%0A/é\n\x1b[31m\udcff/{word}"
    subject = f"</script><script>alert(2)</script> =cmd|' /C calc'!A0 {word}"
    return finding(
        666,
        path=path,
        description=f"Token\r\n::stop-commands::x {word}",
        tags=(word, "\u202eevil"),
        provenance=(place(path, author=word, email="<b>@x", message_subject=subject),),
    )
