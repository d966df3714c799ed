"""What a hook says when it stops a commit or a push: where, what, and the ways on."""

from __future__ import annotations

import shlex
from typing import TextIO

from hygiene.finding import Finding, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.terminal import printable

_SHOWN = 20


def write_blocked(result: ScanResult, doing: str, stream: TextIO) -> None:
    """Tell why ``doing`` (such as "commit") stops, in few lines, without a value."""
    new = result.new
    if new:
        mask = Mask(result.findings)
        stream.write(f"hygiene: {doing} stopped: {_count(len(new), 'credential')} found\n\n")
        for finding in new[:_SHOWN]:
            stream.write(_lines(finding, mask))
        if len(new) > _SHOWN:
            stream.write(f"  … and {len(new) - _SHOWN} more\n")
        stream.write(_ways_on(new[0], mask))
    unread = [skip for skip in result.skipped if skip.incomplete]
    if unread:
        stream.write(f"hygiene: {doing} stopped: {_count(len(unread), 'thing')} could not be read\n")
        for skip in unread[:_SHOWN]:
            stream.write(f"  {printable(skip.path)}: {printable(skip.reason)}\n")


def _lines(finding: Finding, mask: Mask) -> str:
    shown = mask.finding(finding)
    place = f"{printable(shown.path)}:{shown.line_start}:{shown.column_start}"
    lines = [f"  {place}  {printable(shown.description)}  {finding.secret.redacted()}\n"]
    commits = dict.fromkeys(place.commit for place in shown.provenance if place.commit)
    if commits:
        names = " ".join(commit[:10] for commit in list(commits)[:4])
        lines.append(f"      in commit {names}{' …' if len(commits) > 4 else ''}\n")
    lines.append(f"      {shown.rule}  {shown.fingerprint}\n")
    return "".join(lines)


def _ways_on(finding: Finding, mask: Mask) -> str:
    shown = mask.finding(finding)
    in_history = any(place.commit for place in shown.provenance)
    path = shlex.quote(printable(shown.path))
    after = "then rewrite the commits that hold it, or rotate it" if in_history else "then stage it again"
    name = shown.fingerprint[:15]
    return (
        "\nThree ways on:\n"
        f"  move it into a store    hygiene migrate --apply {path}   ({after})\n"
        f"  allow it, with a reason beside it:  hygiene: allow {shown.rule} {name} reason=…\n"
        "  accept it as known      hygiene baseline update\n"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
