"""Ends a leaked credential that is in no store, by its own value: where the provider lets whoever has it."""

from __future__ import annotations

from pathlib import Path

import click

from hygiene.cli.compose import Composition, notice
from hygiene.cli.leaked import MATCH, found_labels, scan_history
from hygiene.cli.rotations import VERDICTS, Rotations
from hygiene.cli.verifying import check_with_reach, note_verdict, powers_of
from hygiene.errors import ExitCode, NotFoundError, ProviderError, UsageError
from hygiene.finding import Finding
from hygiene.places import cache_folder
from hygiene.report.terminal import printable
from hygiene.rotate.provider import Killable, Verdict

FINGERPRINT = "v1:"  # how every fingerprint begins, and no secret's name


def revoke_leak(composition: Composition, rotations: Rotations, fingerprint: str, *, now: bool, config: str) -> int:
    """Revoke what history shows under ``fingerprint`` (or its beginning); gives the exit code.

    Raises NotFoundError for an unknown one, UsageError without ``now`` or for one that is stored, ProviderError.
    """
    finding, root = _found(fingerprint, config)
    ties = (event for event in composition.recorder.events() if event.action == MATCH)
    stored = next((tie.object for tie in ties if tie.detail.get("fingerprint") == finding.fingerprint), "")
    if stored:
        raise UsageError(f"this leak is stored as {stored}", hint="rotate it, or name it: hygiene revoke NAME --now")
    provider = rotations.provider_of_finding(finding, found_labels(root, finding))
    check = check_with_reach(provider, finding.secret)
    if not isinstance(provider, Killable):
        raise ProviderError(f"{provider.name} can't end a credential by its own value")
    for line in powers_of("it", check):
        notice(printable(line))
    if not now:
        raise UsageError(
            f"the leak {finding.fingerprint} is {check.verdict.value}; whoever uses it is locked out at once",
            hint="if that is meant: the same with --now; without a break: hygiene migrate --apply, then hygiene rotate",
        )
    (cache_folder() / VERDICTS).unlink(missing_ok=True)
    with composition.recorder.access(
        "revoke", finding.rule, provider=provider.name, fingerprint=finding.fingerprint, rule=finding.rule
    ):
        provider.kill(finding.secret)
    check = provider.verify(finding.secret)
    note_verdict(composition.recorder, finding.rule, finding.fingerprint, check.verdict.value)
    click.echo(printable(f"revoked {finding.fingerprint}: now {check.verdict.value} ({check.evidence})"))
    return ExitCode.STORE if check.verdict is Verdict.LIVE else ExitCode.CLEAN


def _found(fingerprint: str, config: str) -> tuple[Finding, Path]:
    history = scan_history(Path.cwd(), config=config)
    found = {one.fingerprint: one for one in history.findings if one.fingerprint.startswith(fingerprint)}
    if len(found) != 1:
        problem = "more than one leak has" if found else "the history shows no leak with"
        raise NotFoundError(
            f"{problem} the fingerprint {fingerprint}", hint="hygiene audit exposures names the fingerprints"
        )
    return next(iter(found.values())), history.root
