"""Text for a person at a terminal: the new findings, what was not read, and one line that sums up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

from hygiene.finding import Finding, Provenance, ScanResult, Skipped
from hygiene.report.masking import Mask
from hygiene.report.order import by_place, skipped_by_path
from hygiene.report.terminal import printable

_COLOURS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36"}
_SKIPPED_AT_MOST = 20
_UNITS = ("B", "kB", "MB", "GB", "TB")


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write the new findings and a summary; what is baselined or allowlisted is only counted."""
    mask = Mask(result.findings, show_secrets=show_secrets)
    colour = wants_colour(stream, os.environ)
    for finding in by_place(result):
        if finding.status == "new":
            _write_finding(finding, mask, stream, colour)
    _write_skipped(skipped_by_path(result), mask, stream)
    stream.write(summary_line(result) + "\n")


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Say whether ``stream`` is a terminal that shows colours and whose user wants them."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def summary_line(result: ScanResult) -> str:
    """Sum a scan up in one line: what was found, and in how much."""
    statuses = [finding.status for finding in result.findings]
    known = [f"{statuses.count(status)} {status}" for status in ("baselined", "allowlisted") if status in statuses]
    found = count(len(result.new), "new finding") + (f" ({', '.join(known)})" if known else "")
    stats = result.stats
    read = f"{count(stats.blobs, 'blob')}, {_size(stats.bytes)}"
    if stats.commits:
        read += f", {count(stats.commits, 'commit')}"
    skipped = f"; {len(result.skipped)} skipped" if result.skipped else ""
    return f"{found} in {read}{skipped}" + ("; the scan is INCOMPLETE" if result.incomplete else "")


def _write_finding(finding: Finding, mask: Mask, stream: TextIO, colour: bool) -> None:
    commits = [place for place in finding.provenance if place.commit]
    shown = mask.finding(finding._replace(provenance=tuple(commits[:1])))  # of thousands, one is told
    severity = f"\x1b[{_COLOURS[shown.severity]}m{shown.severity}\x1b[0m" if colour else shown.severity
    place = f"{printable(shown.path)}:{shown.line_start}:{shown.column_start}"
    stream.write(f"{place}: {severity}: {printable(shown.description)} [{printable(shown.rule)}]\n")
    facts = [printable(mask.secret(finding)), f"confidence {shown.confidence}"]
    if shown.verification != "unverified":
        facts.append(shown.verification)
    stream.write(f"    {'  '.join(facts)}  fingerprint {printable(shown.fingerprint)}\n")
    if where := _where(shown.provenance, len(commits) - 1):
        stream.write(f"    {where}\n")


def _where(commits: tuple[Provenance, ...], more: int) -> str:
    if not commits:
        return ""
    first = commits[0]
    subject = f" “{printable(first.message_subject)}”" if first.message_subject else ""
    text = f"commit {first.commit[:12]}{subject} by {printable(first.author)} <{printable(first.email)}>, {first.date}"
    return text + (f", and in {count(more, 'more place')}" if more else "")


def _write_skipped(skipped: list[Skipped], mask: Mask, stream: TextIO) -> None:
    # Those that make a scan incomplete come first: they are why it can't say "clean".
    ordered = sorted(skipped, key=lambda skip: not skip.incomplete)
    for skip in ordered[:_SKIPPED_AT_MOST]:
        stream.write(f"skipped {printable(mask.text(skip.path))}: {printable(skip.reason)}\n")
    if len(ordered) > _SKIPPED_AT_MOST:
        stream.write(f"skipped {len(ordered) - _SKIPPED_AT_MOST} more, which --format json lists\n")


def count(number: int, thing: str) -> str:
    """Say ``number`` of ``thing``, in the plural where it is due."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def _size(count: float) -> str:
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
