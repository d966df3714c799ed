"""HTML: one page for a scan that sorts and filters by itself; see :mod:`hygiene.report.page`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from hygiene.finding import SEVERITIES, Finding, Provenance, ScanResult, Skipped
from hygiene.report.masking import Mask
from hygiene.report.order import by_weight, skipped_by_path, summary
from hygiene.report.page import Cell, Column, Row, bars, cards, identifier, page, quiet_line, table, text
from hygiene.report.text import summary_line

_COLUMNS = (
    Column("Severity", numeric=True),
    Column("Kind"),
    Column("Place"),
    Column("Value"),
    Column("Status"),
    Column("Introduced"),
)
_PLACES_AT_MOST = 50


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write one page; ``show_secrets`` has no effect."""
    mask = Mask(result.findings)
    counted = summary(result)
    ordered = sorted(by_weight(list(result.findings)), key=lambda finding: finding.status != "new")
    findings = [mask.finding(finding) for finding in ordered]
    names = (("New", "new"), ("Baselined", "baselined"), ("Allowlisted", "allowlisted"), ("Not scanned", "skipped"))
    body = cards([(title, f"{counted[name]:,}") for title, name in names])
    if result.incomplete:
        body += '<p class="warning"><strong>The scan is incomplete.</strong> What was not read is listed below.</p>\n'
    if findings:
        chart = bars("New findings by severity", list(counted["by_severity"].items()))
        body += f'<div class="charts">{chart}</div>\n<h2>Findings</h2>\n'
        body += table("Findings", _COLUMNS, list(map(_row, findings)), ("severity", "status", "rule"))
    body += _skipped(skipped_by_path(result), mask)
    stream.write(page("Secrets found by hygiene", summary_line(result), body))


def _row(shown: Finding) -> Row:
    first = next((place for place in shown.provenance if place.commit), None)
    rank = str(len(SEVERITIES) - SEVERITIES.index(shown.severity))
    place = f"{shown.path}:{shown.line_start}"
    verified = "" if shown.verification == "unverified" else quiet_line(shown.verification)
    cells = (
        Cell(f'<span class="tag {shown.severity}">{shown.severity}</span>{verified}', rank),
        Cell(f"{text(shown.description)}{quiet_line(shown.rule)}"),
        Cell(f"<code>{text(place)}</code>{_places(shown.provenance)}", place),
        Cell(f"<code>{text(shown.secret.redacted())}</code>{identifier(shown.fingerprint)}"),
        Cell(text(shown.status)),
        Cell(_introduced(first), first.date if first else ""),
    )
    return Row(cells, (("severity", shown.severity), ("status", shown.status), ("rule", shown.rule)))


def _introduced(first: Provenance | None) -> str:
    if first is None:
        return '<span class="quiet">–</span>'
    who = f"{first.author} <{first.email}>"
    date = f'<span class="date">{text(first.date[:10])}</span>'
    return f"{date} <code>{text(first.commit[:12])}</code>{quiet_line(who)}"


def _places(places: Sequence[Provenance]) -> str:
    if len(places) < 2:
        return ""
    items = "".join(
        f"<li><code>{text(place.path)}</code> {text(place.commit[:12])}</li>" for place in places[:_PLACES_AT_MOST]
    )
    more = f"<li>{len(places) - _PLACES_AT_MOST:,} more</li>" if len(places) > _PLACES_AT_MOST else ""
    return f'<details><summary>{len(places):,} places</summary><ul class="places">{items}{more}</ul></details>'


def _skipped(skipped: Sequence[Skipped], mask: Mask) -> str:
    if not skipped:
        return ""
    items = "".join(f"<li><code>{text(mask.text(skip.path))}</code> {text(skip.reason)}</li>" for skip in skipped)
    return f'<h2>Not scanned</h2>\n<ul class="places">{items}</ul>\n'
