"""gitleaks' JSON report, which is also its baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hygiene.detect.foreign.protocol import Known
from hygiene.errors import ConfigError
from hygiene.finding import Finding

_REDACTED = "REDACTED"


def read(text: bytes) -> Sequence[Known]:
    """Read the findings of a report; a redacted one is known by its line. Raises ConfigError."""
    try:
        return [_known(row) for row in json.loads(text)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"this is no report of gitleaks: {type(error).__name__}") from error


def _known(row: Mapping[str, Any]) -> Known:
    path, line, rule = str(row["File"]).replace("\\", "/"), int(row["StartLine"]), str(row["RuleID"])
    value = str(row.get("Secret", "")).encode("utf-8", "surrogateescape")

    def covers(finding: Finding) -> bool:
        if finding.path != path and all(place.path != path for place in finding.provenance):
            return False
        if value and value != _REDACTED.encode():
            return finding.secret.reveal() == value
        return finding.line_start == line

    return Known(f"{path}:{line}", covers, f"in gitleaks' baseline as {rule}")
