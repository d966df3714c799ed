"""The job summary of a GitHub Action: Markdown that stays below the limit and runs nothing that a name smuggles in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from typing import TextIO
from urllib.parse import quote

from hygiene.finding import Finding, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.order import by_place, by_weight, skipped_by_path
from hygiene.report.terminal import printable
from hygiene.report.text import summary_line

# GitHub drops a summary above 1 MiB, for the whole step.
BYTES_AT_MOST = 900_000
_SKIPPED_AT_MOST = 50
_NEXT = """
**What to do:** make each value worthless where it was issued, then take it out of the code.
`hygiene migrate --apply` moves it to a store and leaves a reference; `hygiene rotate --leaked` replaces and revokes it.
Not a secret? Say so with a reason: a line `hygiene: allow RULE reason=…`, or `[[allow]]` in `.hygiene.toml`.
"""


def write_summary(result: ScanResult, stream: TextIO, *, blob_url: str = "", notices: Sequence[str] = ()) -> None:
    """Write the outcome of a scan; ``blob_url`` (…/blob/COMMIT) makes places links."""
    mask = Mask(result.findings)
    stream.write(f"## hygiene: {summary_line(result)}\n\n")
    for notice in notices:
        stream.write(f"- {_safe(mask.text(notice))}\n")
    new = by_weight(list(result.new))
    room = BYTES_AT_MOST - _write_table(new, mask, stream, blob_url, BYTES_AT_MOST)
    if new:
        stream.write(_NEXT)
    allowed = [finding for finding in by_place(result) if finding.status == "allowlisted"]
    if allowed:
        stream.write("\n### Allowed by the policy or by a mark in this change\n\n")
        _write_table(allowed, mask, stream, blob_url, room)
    skipped = skipped_by_path(result)
    if skipped:
        stream.write("\n### Not scanned\n\n")
        for skip in skipped[:_SKIPPED_AT_MOST]:
            stream.write(f"- {_safe(mask.text(skip.path))}: {_safe(skip.reason)}\n")
        if len(skipped) > _SKIPPED_AT_MOST:
            stream.write(f"- and {len(skipped) - _SKIPPED_AT_MOST} more, which the report lists\n")


def _write_table(findings: Sequence[Finding], mask: Mask, stream: TextIO, blob_url: str, room: int) -> int:
    """Write as many rows as fit into ``room`` bytes; gives the bytes written."""
    if not findings:
        return 0
    used = stream.write("| severity | kind | place | value | introduced |\n|---|---|---|---|---|\n")
    for number, finding in enumerate(findings):
        row = _row(mask.finding(finding), blob_url)
        used += len(row.encode())
        if used > room:
            return used + stream.write(f"\n{len(findings) - number} more are in the report.\n")
        stream.write(row)
    return used


def _row(shown: Finding, blob_url: str) -> str:
    place = _safe(f"{shown.path}:{shown.line_start}")
    if blob_url and shown.line_start:
        place = f'<a href="{escape(blob_url)}/{quote(os.fsencode(shown.path))}#L{shown.line_start}">{place}</a>'
    first = next((where for where in shown.provenance if where.commit), None)
    by = _safe(f"{first.commit[:12]} by {first.author}, {first.date[:10]}") if first else ""
    cells = (shown.severity, _safe(f"{shown.description} [{shown.rule}]"), place, _safe(shown.secret.redacted()), by)
    return f"| {' | '.join(cells)} |\n"


def _safe(text: str) -> str:
    """Give ``text`` as one HTML code span, in which no Markdown, table or mention works."""
    plain = escape(printable(text))
    for character in "|`*_[]@\\~#:":
        plain = plain.replace(character, f"&#{ord(character)};") if character != "#" else plain
    return f"<code>{plain}</code>"
