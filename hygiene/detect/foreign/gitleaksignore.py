"""``.gitleaksignore``: a fingerprint a line, ``[COMMIT:]PATH:RULE:LINE``."""

from __future__ import annotations

from collections.abc import Sequence

from hygiene.detect.foreign.protocol import Known
from hygiene.finding import Finding

_HEX = frozenset("0123456789abcdef")


def read(text: bytes) -> Sequence[Known]:
    """Read the lines of ``text``; what is no fingerprint is left out, as gitleaks does."""
    lines = (line.strip() for line in text.decode("utf-8", "surrogateescape").splitlines())
    return [known for line in lines if line and not line.startswith("#") and (known := _known(line))]


def _known(line: str) -> Known | None:
    words = line.split(":")
    if len(words) < 3 or not words[-1].isdigit():
        return None
    commit = words[0] if len(words) > 3 and len(words[0]) >= 40 and set(words[0]) <= _HEX else ""
    path = ":".join(words[1 if commit else 0 : -2]).replace("\\", "/")
    number = int(words[-1])

    def covers(finding: Finding) -> bool:
        if finding.line_start != number:
            return False
        if not commit:
            return finding.path == path
        return any(place.path == path and commit in (place.commit, "") for place in finding.provenance)

    return Known(line, covers, f"ignored by gitleaks as {words[-2]}")
