"""GitLab's secret detection report (security-report-schemas 15), which merge requests show as vulnerabilities."""

from __future__ import annotations

import json
import os
import re
import uuid
from typing import Any, TextIO

from hygiene import __version__
from hygiene.finding import Finding, Provenance, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.order import by_place
from hygiene.report.terminal import printable

_SCHEMA_VERSION = "15.0.4"
_NAMESPACE = uuid.UUID("6f1fca0c-3b0a-5b63-9b0f-2c1c0f6f4f0e")
_NO_COMMIT = "0" * 40  # the schema wants a commit; this is git's own word for none
_NAME_AT_MOST = 255
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write one report; ``show_secrets`` has no effect.

    The schema asks for the time of the run. The pipeline's own start is told (CI_PIPELINE_CREATED_AT), so that a
    second run gives the same bytes; outside of a pipeline it is the beginning of the epoch.
    """
    mask = Mask(result.findings)
    time = _time(os.environ.get("CI_PIPELINE_CREATED_AT", ""))
    tool = {"id": "hygiene", "name": "hygiene", "version": __version__, "vendor": {"name": "hygiene"}}
    document = {
        "version": _SCHEMA_VERSION,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "start_time": time,
            "end_time": time,
            "status": "failure" if result.incomplete else "success",
        },
        "vulnerabilities": [
            _vulnerability(mask.finding(finding)) for finding in by_place(result) if finding.status == "new"
        ],
    }
    json.dump(document, stream, indent=2)
    stream.write("\n")


def _vulnerability(shown: Finding) -> dict[str, Any]:
    commit = next((place for place in shown.provenance if place.commit), Provenance("", "", _NO_COMMIT))
    location = {"sha": commit.commit, "author": commit.author, "date": commit.date, "message": commit.message_subject}
    description = printable(shown.description) or shown.rule
    return {
        "id": str(uuid.uuid5(_NAMESPACE, f"{shown.fingerprint}\n{shown.rule}\n{shown.path!a}\n{shown.line_start}")),
        "category": "secret_detection",
        "name": description[:_NAME_AT_MOST],
        "description": f"{description}: {shown.secret.redacted()}. Store it, replace it by a reference, and rotate it.",
        "severity": shown.severity.capitalize(),
        "location": {
            "file": printable(shown.path),
            "start_line": max(shown.line_start, 1),
            "end_line": max(shown.line_end, 1),
            "commit": {key: printable(value) for key, value in location.items() if value},
        },
        "identifiers": [
            {"type": "hygiene_rule_id", "name": f"hygiene rule {printable(shown.rule)}", "value": printable(shown.rule)}
        ],
    }


def _time(text: str) -> str:
    found = _TIME.match(text)
    return found[0] if found else "1970-01-01T00:00:00"
