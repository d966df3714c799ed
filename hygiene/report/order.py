"""The order and the figures that all reports share."""

from __future__ import annotations

from typing import Any

from hygiene.finding import CONFIDENCES, SEVERITIES, Finding, ScanResult, Skipped


def by_place(result: ScanResult) -> list[Finding]:
    """Give the findings in the order of their places."""
    return sorted(result.findings, key=_place)


def by_weight(findings: list[Finding]) -> list[Finding]:
    """Give ``findings`` with the gravest first, for formats that are cut off at a limit."""
    return sorted(
        findings,
        key=lambda f: (-SEVERITIES.index(f.severity), -CONFIDENCES.index(f.confidence), *_place(f)),
    )


def skipped_by_path(result: ScanResult) -> list[Skipped]:
    """Give what was not scanned in the order of its paths."""
    return sorted(result.skipped)


def summary(result: ScanResult) -> dict[str, Any]:
    """Count what a report tells in its first line."""
    statuses = [finding.status for finding in result.findings]
    return {
        "findings": len(result.findings),
        **{status: statuses.count(status) for status in ("new", "baselined", "allowlisted")},
        "by_severity": {name: sum(f.severity == name for f in result.new) for name in reversed(SEVERITIES)},
        "skipped": len(result.skipped),
        "complete": not result.incomplete,
        **result.stats._asdict(),
    }


def _place(finding: Finding) -> tuple[str, int, int, str, str, str]:
    return (finding.path, finding.line_start, finding.column_start, finding.rule, finding.blob, finding.fingerprint)
