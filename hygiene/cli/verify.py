"""``hygiene verify``: asks the providers whether credentials are live. Only on request, never in a hook."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click

from hygiene.cli.compose import compose, config_option, store_option
from hygiene.cli.leaked import History, scan_history
from hygiene.cli.rotations import VERDICTS, Request, Rotations
from hygiene.cli.ruletables import RuleTables
from hygiene.cli.verifying import VERIFY, ask_each, check_with_reach, remembering, verify_finding
from hygiene.errors import ExitCode, UsageError
from hygiene.places import cache_folder
from hygiene.prove.event import OK, Recorder
from hygiene.report.terminal import printable
from hygiene.rotate.provider import Verdict
from hygiene.rotate.registry import DECLARED, PROVIDERS
from hygiene.rotate.remembered import SECONDS, Remembered


class Verified(NamedTuple):
    """What a provider says; the fields of ``--json``."""

    subject: str  # the name of a stored secret, or the place of a found one
    verdict: str
    provider: str
    identity: str
    evidence: str
    rule: str = ""
    fingerprint: str = ""
    scopes: tuple[str, ...] = ()  # what it may do, where the provider says so in the same answer


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--leaked", is_flag=True, help="Every credential that the history of this repository shows.")
@click.option("--list", "listing", is_flag=True, help="Only name the types that can be asked for, and where.")
@click.option("--fresh", is_flag=True, help="Ask again, whatever was answered in the last ten minutes.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def command(
    *,
    names: tuple[str, ...],
    leaked: bool,
    listing: bool,
    fresh: bool,
    as_json: bool,
    store_name: str,
    config_path: str | None,
) -> int:
    """Ask whether stored secrets work, or which leaked credentials still do.

    This is a login: it shows in the provider's own log. Exits 1 when a leak is live, or a stored secret is dead.
    """
    if not (names or leaked or listing):
        raise UsageError("nothing to verify", hint="name secrets, or give --leaked")
    composition = compose(config_path)
    if listing:
        return _list(RuleTables(composition.config).verifiable(), as_json=as_json)
    rotations = Rotations(composition, store_name)
    results = [_stored(rotations, composition.recorder, name) for name in names]
    if leaked:
        history = scan_history(Path.cwd(), config=config_path or "")
        remembered = Remembered(cache_folder() / VERDICTS, seconds=0 if fresh else SECONDS)
        results += _found(rotations, composition.recorder, history, remembered)
        remembered.save()
    _print(results, as_json=as_json)
    wrong = {(True, "live"), (False, "dead")}
    return (
        ExitCode.FINDINGS if any((bool(one.fingerprint), one.verdict) in wrong for one in results) else ExitCode.CLEAN
    )


def _stored(rotations: Rotations, recorder: Recorder, name: str) -> Verified:
    provider = rotations.provider(Request(name))
    check = check_with_reach(provider, rotations.store.get(name))
    recorder.record(VERIFY, str(rotations.store.reference(name)), OK, new_verdict=check.verdict.value)
    told = (check.verdict.value, provider.name, check.identity, check.evidence)
    return Verified(name, *told, scopes=check.scopes)


def _list(rules: Mapping[str, str], *, as_json: bool) -> int:
    """Name every type that can be verified, and which host or protocol is asked."""
    coded = {f"provider {name}": "by its own protocol" for name in sorted(PROVIDERS) if name != DECLARED}
    types = {**rules, **coded}
    if as_json:
        click.echo(json.dumps([{"type": name, "asks": where} for name, where in types.items()], indent=2))
    else:
        click.echo("\n".join(f"{name:36} {where}" for name, where in types.items()))
        click.echo(f"{len(types)} types")
    return ExitCode.CLEAN


def _found(rotations: Rotations, recorder: Recorder, history: History, remembered: Remembered) -> Iterator[Verified]:
    """Ask for each leaked credential once, in the order of its places; a recent answer counts."""
    ask = remembering(remembered, lambda finding: verify_finding(rotations, finding, history.root))
    for finding, (name, check) in ask_each(history.findings, recorder, ask):
        place = f"{finding.path}:{finding.line_start}"
        told = (check.verdict.value, name, check.identity, check.evidence)
        yield Verified(place, *told, finding.rule, finding.fingerprint, check.scopes)


def _print(results: list[Verified], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([result._asdict() for result in results], indent=2))
        return
    for result in results:
        who = f" as {result.identity}" if result.identity else ""
        rule = f" [{result.rule}]" if result.rule else ""
        click.echo(printable(f"{result.verdict:8} {result.subject}{rule}{who}: {result.evidence}"))
        for scope in result.scopes:
            click.echo(printable(f"             may: {scope}"))
    if len(results) > 1:
        counts = Counter(result.verdict for result in results)
        click.echo(", ".join(f"{counts[verdict.value]} {verdict.value}" for verdict in Verdict))
