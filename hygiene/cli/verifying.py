"""Asks providers about what was found, each credential once; every question is an entry of the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from hygiene.cli.compose import compose
from hygiene.cli.leaked import found_labels
from hygiene.cli.rotations import VERDICTS, Rotations
from hygiene.errors import ProviderError
from hygiene.finding import Finding, ScanResult
from hygiene.places import cache_folder
from hygiene.prove.event import OK, Recorder
from hygiene.rotate.provider import Check, Provider, Reaching, Verdict
from hygiene.rotate.remembered import Remembered
from hygiene.secret import Secret

VERIFY = "verify"

Answer = tuple[str, Check]  # the provider's name, and what it says


def verified(result: ScanResult, root: Path | None, config: str = "") -> ScanResult:
    """Give ``result``, a scan of ``root`` or of files here, with the providers' answers. Raises AuditError."""
    composition = compose(config or None)
    rotations = Rotations(composition, "")
    remembered = Remembered(cache_folder() / VERDICTS)
    ask = remembering(remembered, lambda finding: verify_finding(rotations, finding, root))
    asked = ask_each(result.findings, composition.recorder, ask)
    verdicts = {finding.fingerprint: check.verdict.value for finding, (_provider, check) in asked}
    remembered.save()
    told = (finding._replace(verification=verdicts[finding.fingerprint]) for finding in result.findings)
    return result._replace(findings=tuple(told))


def ask_each(
    findings: Iterable[Finding], recorder: Recorder, ask: Callable[[Finding], Answer]
) -> Iterator[tuple[Finding, Answer]]:
    """Ask for each credential among ``findings`` once, in the order of their places.

    Each answer is in the audit log before the next question. Raises AuditError where it can't be written.
    """
    asked: set[str] = set()
    for finding in findings:
        if finding.fingerprint in asked:
            continue
        asked.add(finding.fingerprint)
        answer = ask(finding)
        note_verdict(recorder, finding.rule, finding.fingerprint, answer[1].verdict.value)
        yield finding, answer


def remembering(remembered: Remembered, ask: Callable[[Finding], Answer]) -> Callable[[Finding], Answer]:
    """Ask only for what was not answered a short while ago; what was keeps its age."""

    def answer(finding: Finding) -> Answer:
        known = remembered.get(finding.fingerprint)
        if known is None:
            known = ask(finding)
            remembered.put(finding.fingerprint, *known)
        return known

    return answer


def verify_finding(rotations: Rotations, finding: Finding, root: Path | None) -> Answer:
    """Ask whether a credential found in ``root`` is live."""
    try:
        provider = rotations.provider_of_finding(finding, found_labels(root, finding))
    except ProviderError as error:
        return "", Check(Verdict.UNKNOWN, error.message)
    return provider.name, check_with_reach(provider, finding.secret)


def powers_of(subject: str, check: Check) -> Iterator[str]:
    """Say whom a credential logs in as, and what it may do, a line each."""
    if check.identity:
        yield f"{subject} logs in as {check.identity}"
    yield from (f"it may: {scope}" for scope in check.scopes)


def check_with_reach(provider: Provider, secret: Secret) -> Check:
    """Ask whether a credential is live and, where it is, what it may do: its blast radius."""
    check = provider.verify(secret)
    if check.verdict is Verdict.LIVE and isinstance(provider, Reaching):
        with suppress(ProviderError):  # what can't be told changes nothing of the verdict
            return check._replace(scopes=tuple(dict.fromkeys((*check.scopes, *provider.reach(secret)))))
    return check


def note_verdict(recorder: Recorder, rule: str, fingerprint: str, verdict: str) -> None:
    """Record what a provider said of a found credential."""
    recorder.record(VERIFY, rule, OK, fingerprint=fingerprint, verdict=verdict, rule=rule)
