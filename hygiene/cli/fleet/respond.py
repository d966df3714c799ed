"""``hygiene fleet respond``: a branch in every repository, one rotation, and closed when all are clean."""

from __future__ import annotations

import json
from typing import Any

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.cli.fleet.hands import FleetHands, Options
from hygiene.cli.fleet.opening import database_option, open_fleet
from hygiene.errors import ExitCode, UsageError
from hygiene.fleet.inventory.pages import exposure_number
from hygiene.fleet.inventory.rotations import cases, open_case
from hygiene.fleet.key import fleet_folder
from hygiene.fleet.respond import Ended, Response, is_over, summary
from hygiene.report.terminal import printable


@click.command("respond", short_help="End exposures: branches everywhere, one rotation, closed when all are clean.")
@click.argument("fingerprints", nargs=-1, metavar="[FINGERPRINT…]")
@click.option("--all", "everything", is_flag=True, help="Every exposure that somebody has to act on.")
@click.option("--dry-run", is_flag=True, help="Only say which repositories it would touch.")
@click.option("--push", is_flag=True, help="Push the branches to GitHub, GitLab or wherever a repository comes from.")
@click.option("--provider", default="", metavar="NAME", help="Provider, where rule and text don't tell.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
@database_option
def command(
    *,
    fingerprints: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    push: bool,
    provider: str,
    as_json: bool,
    store_name: str,
    config_path: str | None,
    database: str,
) -> int:
    """Store a leaked value once, replace it on a branch in each repository, rotate it once, and close it at the end.

    Without a fingerprint, what was begun goes on: run it again after branches were merged and repositories scanned.
    Exits 0 when all is closed, 1 when something is left for people, 5 when something failed.
    """
    if fingerprints and everything:
        raise UsageError("fingerprints and --all exclude each other")
    inventory, key = open_fleet(database)
    numbers = inventory.run(
        lambda session: cases(session, [exposure_number(session, one) for one in fingerprints], everything=everything)
    )
    if not numbers:
        notice("nothing was begun: name an exposure of hygiene fleet report, or say --all")
    if dry_run:
        found = [inventory.run(lambda session, number=n: open_case(session, number, begin=False)) for n in numbers]  # type: ignore[misc]
        ended = [Ended(case, case.state) for case in found]
    else:
        composition = compose(config_path)
        hands = FleetHands(
            composition, key, fleet_folder() / "clones", Options(store_name, push, provider, config_path or "")
        )
        response = Response(inventory, hands)
        ended = [response.respond(number) for number in numbers]
    _show(ended, as_json=as_json)
    if any(one.failed for one in ended):
        return ExitCode.STORE
    return ExitCode.CLEAN if all(map(is_over, ended)) else ExitCode.FINDINGS


def _show(ended: list[Ended], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_plain(one) for one in ended], indent=2))
        return
    for one in ended:
        click.echo(printable(summary(one)))
        for line in (*one.waiting.splitlines(), *one.failed.splitlines()):
            click.echo(printable(f"  {line}"))
        for repository in one.case.affected:
            if repository.problem:
                click.echo(printable(f"  {repository.name}: {repository.problem}"))


def _plain(one: Ended) -> dict[str, Any]:
    repositories = [
        {"name": repository.name, "state": repository.state, "problem": repository.problem}
        for repository in one.case.affected
    ]
    return {
        "fingerprint": one.case.fingerprint,
        "rule": one.case.rule,
        "severity": one.case.severity,
        "state": one.state,
        "reference": one.case.reference,
        "waiting": one.waiting,
        "failed": one.failed,
        "repositories": repositories,
    }
