"""``hygiene respond``: one command for CI, from leaked to dead; run again, it does nothing twice."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hygiene.cli.compose import Composition, compose, config_option, notice, store_option
from hygiene.cli.leaked import History, leak_labels, leaked_secrets, scan_history, without_halves
from hygiene.cli.onleak import by_policy
from hygiene.cli.rotate import Result, each, exit_code, leak_request, unfinished
from hygiene.cli.rotations import Rotations
from hygiene.errors import AuditError, ExitCode
from hygiene.exposure import Exposure
from hygiene.finding import CONFIDENCES, Finding
from hygiene.places import audit_folder
from hygiene.prove.actor import current_actor
from hygiene.prove.exposures import build_exposures
from hygiene.prove.verify import verify_folder
from hygiene.report.exposures_text import write_json, write_text
from hygiene.report.masking import Mask
from hygiene.report.terminal import printable

_DONE = ("closed", "rotated", "accepted")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only report; rotate nothing.")
@click.option("--jobs", default=4, show_default=True, type=click.IntRange(1, 32), help="How many rotations at once.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@store_option
@config_option
def command(*, dry_run: bool, jobs: int, as_json: bool, store_name: str, config_path: str | None) -> int:
    """Scan history, rotate every stored secret that leaked, and report what became of each leak.

    What was interrupted is resumed first. Exits 0 when every leak is rotated, closed or accepted; 1 when
    something is left for a person or for ``hygiene migrate``; 5 when a rotation failed; 4 when the scan is incomplete.
    """
    composition = compose(config_path)
    rotations = Rotations(composition, store_name)
    results = [] if dry_run else each(unfinished(rotations), rotations.resume, jobs)
    history = scan_history(Path.cwd(), config=config_path or "")
    leaks = list(leaked_secrets(rotations.store, composition.recorder, history))
    if not dry_run:
        tried = {result.name for result in results}
        asked = (leak_request(leak, leak_labels(history.root, leak)) for leak in without_halves(leaks))
        wanted = [request for request in asked if request and request.name not in tried]
        at_once, others = by_policy(rotations, composition.config, wanted)
        results += [*each(at_once, rotations.rotate, jobs), *others]
    for result in results:
        notice(printable(f"{result.outcome}: {result.name} {result.error}".rstrip()))
    stored = {finding.fingerprint for leak in leaks for finding in leak.findings}
    exposures = _exposures(composition, history, stored)
    verifies = not any(verdict.problems for verdict in verify_folder(audit_folder(), None, current_actor()))
    if as_json:
        write_json(exposures, sys.stdout, datetime.now(UTC), log_verifies=verifies)
    else:
        write_text(exposures, sys.stdout, datetime.now(UTC))
    if not verifies:
        raise AuditError("the audit log does not verify, so it proves none of this", hint="hygiene audit verify")
    return _exit_code(results, exposures, history)


def _exposures(composition: Composition, history: History, stored: set[str]) -> Sequence[Exposure]:
    """Build the exposures of what is sure enough to be reported, or is stored and so surely a secret."""
    least = CONFIDENCES.index(composition.config.min_confidence)
    told: list[Finding] = [
        finding
        for finding in history.result.findings
        if finding.fingerprint in stored or CONFIDENCES.index(finding.confidence) >= least
    ]
    mask = Mask(told)
    now = datetime.now(UTC)
    return build_exposures([mask.finding(finding) for finding in told], composition.recorder.events(), now)


def _exit_code(results: Sequence[Result], exposures: Sequence[Exposure], history: History) -> int:
    code = exit_code(results)
    if code == ExitCode.STORE:
        return code
    if history.result.incomplete:
        return ExitCode.INCOMPLETE
    return code or (ExitCode.FINDINGS if any(one.state not in _DONE for one in exposures) else ExitCode.CLEAN)
