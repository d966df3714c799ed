"""JUnit XML, for pipelines that show tests: each new finding is a failed test, an incomplete scan an error."""

from __future__ import annotations

from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from hygiene.finding import Finding, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.order import by_place, skipped_by_path
from hygiene.report.terminal import printable
from hygiene.report.text import summary_line


def report(result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
    """Write one test suite; ``show_secrets`` has no effect."""
    mask = Mask(result.findings)
    new = [mask.finding(finding) for finding in by_place(result) if finding.status == "new"]
    incomplete = [skip for skip in skipped_by_path(result) if skip.incomplete]
    errors = int(bool(incomplete))
    tests = len(new) + errors or 1
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(f'<testsuites tests="{tests}" failures="{len(new)}" errors="{errors}">\n')
    stream.write(f'  <testsuite name="hygiene" tests="{tests}" failures="{len(new)}" errors="{errors}">\n')
    for finding in new:
        _write_failure(finding, stream)
    if incomplete:
        lines = "\n".join(f"{printable(mask.text(skip.path))}: {printable(skip.reason)}" for skip in incomplete)
        stream.write('    <testcase classname="hygiene" name="everything was read">')
        stream.write(f'<error message="the scan is incomplete">{escape(lines)}</error></testcase>\n')
    elif not new:
        stream.write('    <testcase classname="hygiene" name="no new findings"/>\n')
    stream.write(f"    <system-out>{escape(summary_line(result))}</system-out>\n  </testsuite>\n</testsuites>\n")


def _write_failure(finding: Finding, stream: TextIO) -> None:
    place = f"{printable(finding.path)}:{finding.line_start}:{finding.column_start}"
    what = f"{printable(finding.description)} ({finding.secret.redacted()})"
    facts = f"{place}\nrule {printable(finding.rule)}, severity {finding.severity}, confidence {finding.confidence}"
    facts += f"\nfingerprint {printable(finding.fingerprint)}"
    name = quoteattr(f"{place} [{printable(finding.rule)}]")
    stream.write(f"    <testcase classname={quoteattr(printable(finding.path))} name={name}>")
    stream.write(f"<failure message={quoteattr(what)} type={quoteattr(finding.severity)}>{escape(facts)}</failure>")
    stream.write("</testcase>\n")
