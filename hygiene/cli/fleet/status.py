"""``hygiene fleet status``: what is listed, scanned, and going on."""

from __future__ import annotations

import json

import click

from hygiene.cli.fleet.opening import database_option, open_database
from hygiene.fleet.inventory.status import status
from hygiene.report.terminal import printable


@click.command("status", short_help="What is listed and scanned, and what is not.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@database_option
def command(*, as_json: bool, database: str) -> int:
    """Show the sources, the last run, what is left of it, and every repository that was not scanned whole."""
    inventory = open_database(database)
    found = inventory.run(status)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return 0
    for source in found["sources"]:
        problem = f"; could not be listed: {source['problem']}" if source["problem"] else ""
        click.echo(printable(f"{source['kind']} {source['location']}: {source['repositories']} repositories{problem}"))
    if not found["sources"]:
        click.echo("no sources yet: hygiene fleet add ./clones")
    for state, number in found["repositories"].items():
        if number:
            click.echo(f"{number} {state}")
    if run := found["run"]:
        click.echo(
            f"last run: {run['state']}, begun {run['started']}, {run['changed']} changed, {run['failed']} failed"
        )
    for state, number in found["tasks"].items():
        click.echo(f"{number} tasks {state}")
    if found["events"]:
        click.echo(f"{found['events']} pushes wait to be scanned")
    for problem in found["problems"]:
        click.echo(printable(f"not whole: {problem['name']}: {problem['problem']}"))
    return 0
