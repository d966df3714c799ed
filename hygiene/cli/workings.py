"""What ``--verbose`` tells of a scan: what it went by, and what it took. Never a value."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from hygiene.cli.scanning import Scanning
from hygiene.detect.match import HINT
from hygiene.finding import ScanResult

_MEGABYTE = 1e6


class Workings:
    """Notes what a scan goes by, and tells it on standard error."""

    def __init__(self, scanning: Scanning, jobs: int) -> None:
        """Begin to time the scan."""
        self._scanning = scanning
        self._jobs = jobs
        self._start = time.monotonic()

    def tell(self, result: ScanResult) -> None:
        """Tell the workings of the scan that gave ``result``."""
        for line in self._lines(result):
            print(f"hygiene: {line}", file=sys.stderr)

    def _lines(self, result: ScanResult) -> Iterator[str]:
        scanning, accepted = self._scanning, self._scanning.accepted()
        yield f"configuration: {scanning.config.path or 'none, so the defaults'}"
        rules = sum(1 for pattern in scanning.used.patterns if not pattern.id.startswith(HINT))
        yield f"rules: {rules} ({scanning.digest[:16]}), compiled in {scanning.used.path}"
        yield f"reported from confidence: {scanning.examiner.least}"
        entries = len(accepted.baseline.entries) if accepted.baseline else 0
        yield f"accepted: {entries} entries in the baseline, {len(scanning.config.allow)} in the allowlist"
        seconds, stats = time.monotonic() - self._start, result.stats
        megabytes = stats.bytes / _MEGABYTE
        yield (
            f"read: {stats.blobs:,} blobs, {megabytes:,.1f} MB, {stats.commits:,} commits in {seconds:.2f} s "
            f"({megabytes / max(seconds, 1e-3):,.0f} MB/s) by at most {self._jobs} processes"
        )
        accepted_findings = len(result.findings) - len(result.new)
        yield f"found: {len(result.new)} new, {accepted_findings} accepted; {len(result.skipped)} skipped"
