"""JSON: ``findings``, ``skipped`` with reasons, ``summary`` and ``tool``.

Pure ASCII, so that any terminal and any locale carries it; a byte of a path that is not UTF-8 is a lone surrogate
escape, as Python's ``os.fsencode`` expects it.
"""

from __future__ import annotations

import json
from typing import Any, TextIO

from hygiene import __version__
from hygiene.finding import Finding, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.order import by_place, skipped_by_path, summary


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write one JSON document."""
    mask = Mask(result.findings, show_secrets=show_secrets)
    document = {
        "tool": {"name": "hygiene", "version": __version__},
        "summary": summary(result),
        "findings": [finding_object(finding, mask) for finding in by_place(result)],
        "skipped": [{**skip._asdict(), "path": mask.text(skip.path)} for skip in skipped_by_path(result)],
    }
    json.dump(document, stream, indent=2)
    stream.write("\n")


def finding_object(finding: Finding, mask: Mask) -> dict[str, Any]:
    """Give the fields of a finding that the command line promises, and no others.

    ``reasons`` say how the confidence came about: a check that held or failed, the classifier's figure, a mark.
    """
    shown = mask.finding(finding)
    return {
        "rule": shown.rule,
        "description": shown.description,
        "severity": shown.severity,
        "confidence": shown.confidence,
        "path": shown.path,
        "line_start": shown.line_start,
        "line_end": shown.line_end,
        "column_start": shown.column_start,
        "column_end": shown.column_end,
        "secret": mask.secret(finding),
        "fingerprint": shown.fingerprint,
        "status": shown.status,
        "provenance": [place._asdict() for place in shown.provenance],
        "verification": shown.verification,
        "entropy": round(shown.entropy, 3),
        "tags": list(shown.tags),
        "reasons": list(shown.reasons),
    }
