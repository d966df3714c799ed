"""GitHub Actions annotations: workflow commands that put a finding on its line, within the limits of a step."""

from __future__ import annotations

from typing import TextIO

from hygiene.finding import Finding, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.order import by_weight
from hygiene.report.terminal import printable
from hygiene.report.text import summary_line

# GitHub shows 10 annotations of each kind a step and drops the rest without a word.
SHOWN_A_KIND = 10
_KINDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write an annotation a new finding, the gravest first, and one that tells how many there was no room for."""
    annotate(result, stream)


def annotate(result: ScanResult, stream: TextIO, *, at_most: int = SHOWN_A_KIND, warnings: int = 0) -> None:
    """Write the annotations, ``at_most`` of each kind; the last place of a kind that overflows tells the rest.

    ``warnings``: how many the step has already written; they take up room, too.
    """
    mask = Mask(result.findings)
    new = by_weight(list(result.new))
    taken = {"error": int(result.incomplete), "warning": warnings, "notice": 0}
    for kind, used in taken.items():
        room = max(min(at_most, SHOWN_A_KIND - used), 0)
        found = [finding for finding in new if _KINDS[finding.severity] == kind]
        shown = found if len(found) <= room else found[: max(room - 1, 0)]
        for finding in shown:
            stream.write(_annotation(kind, mask.finding(finding)))
        if len(found) > len(shown):
            rest = (
                f"{len(found) - len(shown)} more findings have no room here: the job summary and the report list them"
            )
            stream.write(f"::{kind} title=hygiene::{escape_data(rest)}\n")
    if result.incomplete:
        stream.write(f"::error title=The scan is incomplete::{escape_data(summary_line(result))}\n")


def mask_commands(result: ScanResult) -> list[str]:
    """Give the commands that make the runner hide the values, whatever a later step prints.

    They hold the values, so they go to the runner's standard output and to nothing else; the runner masks a value
    from the moment that it reads its command. GitHub masks line by line.
    """
    values = {line for finding in result.findings for line in finding.secret.reveal().splitlines()}
    texts = sorted({value.decode("utf-8", "replace").strip() for value in values})
    return [f"::add-mask::{escape_data(text)}" for text in texts if len(text) >= 6]


def escape_data(text: str) -> str:
    """Escape the message of a workflow command (as actions/toolkit's command.ts does)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Escape a property of a workflow command."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def _annotation(kind: str, shown: Finding) -> str:
    properties = {
        "title": f"{shown.severity}: {shown.rule}",
        "file": shown.path,
        "line": str(max(shown.line_start, 1)),
        "endLine": str(max(shown.line_end, 1)),
        "col": str(max(shown.column_start, 1)),
        "endColumn": str(max(shown.column_end, 1)),
    }
    told = ",".join(f"{key}={escape_property(printable(value))}" for key, value in properties.items())
    return f"::{kind} {told}::{escape_data(_message(shown))}\n"


def _message(shown: Finding) -> str:
    text = f"{printable(shown.description)} ({shown.secret.redacted()})."
    first = next((place for place in shown.provenance if place.commit), None)
    if first is not None:
        text += f" In commit {first.commit[:12]} by {printable(first.author)}."
    return text + "\nMove it to a store with `hygiene migrate`, then rotate it: what was pushed is known."
