"""What a reporter must do."""

from __future__ import annotations

from typing import Protocol, TextIO

from hygiene.finding import ScanResult


class Reporter(Protocol):
    """Writes the outcome of a scan in one format.

    The same result gives the same bytes, in a stable order and without the time of the run. No reporter shows a
    value: only where the user asked for it (``show_secrets``) do text, JSON and JSONL.
    """

    def report(self, result: ScanResult, stream: TextIO, *, show_secrets: bool = False) -> None:
        """Write ``result`` to ``stream``."""
