"""CSV (RFC 4180): one row a finding, for spreadsheets."""

from __future__ import annotations

import csv
from typing import TextIO

from hygiene.finding import Finding, Provenance, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.order import by_place
from hygiene.report.terminal import printable

_COLUMNS = (
    *("rule", "description", "severity", "confidence", "status", "verification", "path", "line", "column", "secret"),
    *("fingerprint", "places", "commit", "author", "email", "date", "message_subject"),
)
_FORMULA = ("=", "+", "-", "@")  # a cell that starts so is run by spreadsheets (OWASP, "CSV Injection")


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write a header and a row a finding; ``show_secrets`` has no effect."""
    mask = Mask(result.findings)
    rows = csv.writer(stream, lineterminator="\r\n")
    rows.writerow(_COLUMNS)
    for finding in by_place(result):
        rows.writerow([_cell(value) for value in _row(mask.finding(finding))])


def _row(shown: Finding) -> list[str]:
    first = next((place for place in shown.provenance if place.commit), Provenance("", ""))
    return [
        *(shown.rule, shown.description, shown.severity, shown.confidence, shown.status, shown.verification),
        *(shown.path, str(shown.line_start), str(shown.column_start), shown.secret.redacted(), shown.fingerprint),
        *(str(len(shown.provenance)), first.commit, first.author, first.email, first.date, first.message_subject),
    ]


def _cell(value: str) -> str:
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
