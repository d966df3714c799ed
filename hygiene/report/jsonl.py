"""JSON Lines: one finding a line, with the fields of the JSON report."""

from __future__ import annotations

import json
from typing import TextIO

from hygiene.finding import ScanResult
from hygiene.report.json import finding_object
from hygiene.report.masking import Mask
from hygiene.report.order import by_place


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write one JSON object a finding and line."""
    mask = Mask(result.findings, show_secrets=show_secrets)
    for finding in by_place(result):
        stream.write(json.dumps(finding_object(finding, mask)) + "\n")
