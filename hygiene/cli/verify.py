"""``hygiene verify``: asks the providers whether credentials are live. Only on request, never in a hook."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from hygiene.cli.compose import compose, config_option, store_option
from hygiene.cli.leaked import History, found_labels, scan_history
from hygiene.cli.rotations import Request, Rotations
from hygiene.errors import ExitCode, ProviderError, UsageError
from hygiene.finding import Finding
from hygiene.prove.event import OK, Recorder
from hygiene.report.terminal import printable
from hygiene.rotate.provider import Check, Verdict

VERIFY = "verify"


class Verified(NamedTuple):
    """What a provider says; the fields of ``--json``."""

    subject: str  # the name of a stored secret, or the place of a found one
    verdict: str
    provider: str
    identity: str
    evidence: str
    rule: str = ""
    fingerprint: str = ""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--leaked", is_flag=True, help="Every credential that the history of this repository shows.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def command(*, names: tuple[str, ...], leaked: bool, as_json: bool, store_name: str, config_path: str | None) -> int:
    """Ask whether stored secrets work, or which leaked credentials still do.

    This is a login: it shows in the provider's own log. Exits 1 when a leak is live, or a stored secret is dead.
    """
    if not names and not leaked:
        raise UsageError("nothing to verify", hint="name secrets, or give --leaked")
    composition = compose(config_path)
    rotations = Rotations(composition, store_name)
    results = [_stored(rotations, composition.recorder, name) for name in names]
    if leaked:
        results += _found(rotations, composition.recorder, scan_history(Path.cwd(), config=config_path or ""))
    _print(results, as_json=as_json)
    wrong = {(True, "live"), (False, "dead")}
    return (
        ExitCode.FINDINGS if any((bool(one.fingerprint), one.verdict) in wrong for one in results) else ExitCode.CLEAN
    )


def _stored(rotations: Rotations, recorder: Recorder, name: str) -> Verified:
    provider = rotations.provider(Request(name))
    check = provider.verify(rotations.store.get(name))
    recorder.record(VERIFY, str(rotations.store.reference(name)), OK, new_verdict=check.verdict.value)
    return Verified(name, check.verdict.value, provider.name, check.identity, check.evidence)


def _found(rotations: Rotations, recorder: Recorder, history: History) -> Iterator[Verified]:
    """Ask for each leaked credential once, in the order of its places."""
    asked: set[str] = set()
    for finding in history.findings:
        if finding.fingerprint in asked:
            continue
        asked.add(finding.fingerprint)
        name, check = verify_finding(rotations, finding, history.root)
        recorder.record(
            VERIFY, finding.rule, OK, fingerprint=finding.fingerprint, verdict=check.verdict.value, rule=finding.rule
        )
        place = f"{finding.path}:{finding.line_start}"
        yield Verified(
            place, check.verdict.value, name, check.identity, check.evidence, finding.rule, finding.fingerprint
        )


def verify_finding(rotations: Rotations, finding: Finding, root: Path | None) -> tuple[str, Check]:
    """Ask whether a credential found in ``root`` is live; gives the provider's name and its answer."""
    try:
        provider = rotations.provider_of_finding(finding, found_labels(root, finding))
    except ProviderError as error:
        return "", Check(Verdict.UNKNOWN, error.message)
    return provider.name, provider.verify(finding.secret)


def _print(results: list[Verified], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([result._asdict() for result in results], indent=2))
        return
    for result in results:
        who = f" as {result.identity}" if result.identity else ""
        rule = f" [{result.rule}]" if result.rule else ""
        click.echo(printable(f"{result.verdict:8} {result.subject}{rule}{who}: {result.evidence}"))
    if len(results) > 1:
        counts = Counter(result.verdict for result in results)
        click.echo(", ".join(f"{counts[verdict.value]} {verdict.value}" for verdict in Verdict))
