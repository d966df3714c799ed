"""SARIF 2.1.0 (OASIS), within what GitHub code scanning accepts.

Only new findings become results: GitHub opens an alert for each result, whatever suppressions it carries. No value
and no snippet is in it, and a result is known by the finding's fingerprint, so that an alert survives moved lines.
"""

from __future__ import annotations

import gzip
import json
import os
from typing import Any, TextIO
from urllib.parse import quote

from hygiene import __version__
from hygiene.finding import Finding, Provenance, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.order import by_weight, skipped_by_path, summary

# docs.github.com, "SARIF results exceed one or more limits": 25,000 results a run (the first 5,000 are shown), 20 tags
# a rule, 1,000 locations a result (100 shown), 10 MB of gzip.
RESULTS_AT_MOST = 25_000
GZIP_BYTES_AT_MOST = 10 * 1000 * 1000
_LOCATIONS_AT_MOST = 100
_TAGS_AT_MOST = 20
_NOTIFICATIONS_AT_MOST = 1000
_SCHEMA = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SECURITY_SEVERITIES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}
_HELP = "Store it with `hygiene migrate --apply`, then make the leaked value worthless with `hygiene rotate`."
_COULD_BE_LARGE = 4000  # results below this number stay far below the limit in any case


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write one SARIF log; ``show_secrets`` has no effect, since the file is made to be uploaded."""
    findings = by_weight(list(result.new))[:RESULTS_AT_MOST]
    mask = Mask(result.findings)
    text = _document(result, findings, mask)
    while len(findings) > _COULD_BE_LARGE and len(gzip.compress(text.encode(), 6)) > GZIP_BYTES_AT_MOST:
        findings = findings[: len(findings) // 2]
        text = _document(result, findings, mask)
    stream.write(text)


def _document(result: ScanResult, findings: list[Finding], mask: Mask) -> str:
    rules = {finding.rule: finding for finding in sorted(findings, key=lambda f: (f.rule, f.description))}
    order = {rule: index for index, rule in enumerate(sorted(rules))}
    run = {
        "tool": {
            "driver": {
                "name": "hygiene",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rules[rule], mask) for rule in order],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(result, len(findings), mask)],
        "results": [_result(finding, order[finding.rule], mask) for finding in findings],
        "properties": {"summary": summary(result)},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(finding: Finding, mask: Mask) -> dict[str, Any]:
    tags = sorted({"security", "secret", *(mask.text(tag) for tag in finding.tags)}, key=lambda t: t != "security")
    description = mask.text(finding.description) or finding.rule
    return {
        "id": finding.rule,
        "name": finding.rule,
        "shortDescription": {"text": description},
        "fullDescription": {"text": f"{description}. A credential in a repository must be taken as known to others."},
        "help": {
            "text": "Store it with `hygiene migrate --apply`, then make the leaked value worthless: `hygiene rotate`."
        },
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "tags": tags[:_TAGS_AT_MOST],
            "precision": {"high": "very-high", "medium": "high", "low": "medium"}[finding.confidence],
            "security-severity": _SECURITY_SEVERITIES[finding.severity],
        },
    }


def _result(finding: Finding, rule_index: int, mask: Mask) -> dict[str, Any]:
    shown = mask.finding(finding)
    others = list(dict.fromkeys(place for place in shown.provenance if place.path != shown.path))
    result: dict[str, Any] = {
        "ruleId": shown.rule,
        "ruleIndex": rule_index,
        "level": _LEVELS[shown.severity],
        "message": {"text": _message(shown)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(shown.path), "region": _region(shown)}}],
        "partialFingerprints": {"hygieneFingerprint/v1": shown.fingerprint},
        "properties": {"confidence": shown.confidence, "severity": shown.severity, "verification": shown.verification},
    }
    if others:
        result["relatedLocations"] = [_related(place) for place in others[: _LOCATIONS_AT_MOST - 1]]
    return result


def _message(shown: Finding) -> str:
    text = f"{shown.description or shown.rule} ({shown.secret.redacted()})."
    first = next((place for place in shown.provenance if place.commit), None)
    if first is not None:
        text += f" In commit {first.commit[:12]} by {first.author} on {first.date}."
    return _no_surrogates(text)


def _region(shown: Finding) -> dict[str, int]:
    line, column = max(shown.line_start, 1), max(shown.column_start, 1)
    end_line = max(shown.line_end, line)
    end_column = max(shown.column_end, column) if end_line == line else max(shown.column_end, 1)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _related(place: Provenance) -> dict[str, Any]:
    words = f"also in commit {place.commit[:12]}" if place.commit else "also here"
    return {"physicalLocation": {"artifactLocation": _artifact(place.path)}, "message": {"text": words}}


def _artifact(path: str) -> dict[str, str]:
    # Bytes and not characters are quoted: a path need not be UTF-8.
    return {"uri": quote(os.fsencode(path or "stdin"), safe="/._-~!$&'()*,=@+"), "uriBaseId": "%SRCROOT%"}


def _invocation(result: ScanResult, shown: int, mask: Mask) -> dict[str, Any]:
    notes = [
        (f"not scanned: {mask.text(skip.path)}: {skip.reason}", "error" if skip.incomplete else "note")
        for skip in skipped_by_path(result)[:_NOTIFICATIONS_AT_MOST]
    ]
    if shown < len(result.new):
        notes.insert(
            0, (f"{len(result.new) - shown} lesser findings are left out, to stay within GitHub's limits", "warning")
        )
    return {
        "executionSuccessful": not result.incomplete,
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": _no_surrogates(text)}} for text, level in notes
        ],
    }


def _no_surrogates(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
