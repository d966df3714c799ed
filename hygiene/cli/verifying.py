"""What ``scan --verify`` adds: each provider's word on whether a found credential is live."""

from __future__ import annotations

from pathlib import Path

from hygiene.cli.compose import compose
from hygiene.cli.rotations import Rotations
from hygiene.cli.verify import VERIFY, verify_finding
from hygiene.finding import Finding, ScanResult
from hygiene.prove.event import OK


def verified(result: ScanResult, root: Path | None, config: str = "") -> ScanResult:
    """Give ``result``, a scan of ``root`` or of files here, with the providers' answers; each credential is asked once.

    Each question is an entry of the audit log, written before the next is asked. Raises AuditError where none can be.
    """
    composition = compose(config or None)
    rotations = Rotations(composition, "")
    answers: dict[str, str] = {}
    told: list[Finding] = []
    for finding in result.findings:
        if finding.fingerprint not in answers:
            _provider, check = verify_finding(rotations, finding, root)
            answers[finding.fingerprint] = check.verdict.value
            facts = {"fingerprint": finding.fingerprint, "verdict": check.verdict.value, "rule": finding.rule}
            composition.recorder.record(VERIFY, finding.rule, OK, **facts)
        told.append(finding._replace(verification=answers[finding.fingerprint]))
    return result._replace(findings=tuple(told))
