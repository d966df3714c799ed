"""The report formats; each is imported when it is chosen."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from hygiene.errors import UsageError
from hygiene.report.protocol import Reporter

_REPORTERS = {
    "text": "hygiene.report.text",
    "json": "hygiene.report.json",
    "jsonl": "hygiene.report.jsonl",
    "sarif": "hygiene.report.sarif",
    "csv": "hygiene.report.csv",
    "junit": "hygiene.report.junit",
    "gitlab": "hygiene.report.gitlab",
    "github": "hygiene.report.github",
    "html": "hygiene.report.html",
}
FORMATS = tuple(_REPORTERS)
REVEALING = ("text", "json", "jsonl")  # the formats that --show-secrets works with


def reporter(format: str) -> Reporter:
    """Give the reporter for ``format``; raises :class:`UsageError` for an unknown one."""
    module = _REPORTERS.get(format)
    if module is None:
        raise UsageError(f"unknown format {format!r}", hint=f"known are {', '.join(FORMATS)}")
    return cast(Reporter, import_module(module))
