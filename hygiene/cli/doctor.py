"""``hygiene doctor``: is everything in its place, and if not, what mends it?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from hygiene.cli.checkup import FAIL, Checkup, Result
from hygiene.errors import ExitCode
from hygiene.report.terminal import printable


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write the results as JSON.")
def command(as_json: bool) -> int:
    """Check git, rules, hooks, identity, references, the audit log, permissions and the pipeline.

    The hook is tried out with a credential made on the spot, and every reference of secrets.toml is resolved as the
    user that runs this (which the audit log records). Each problem comes with what mends it. Exits with the code of
    the first failed check, 0 when there are only warnings.
    """
    results = list(Checkup(Path.cwd()).results())
    if as_json:
        fields = ("check", "state", "found", "fix")
        click.echo(json.dumps([{field: getattr(result, field) for field in fields} for result in results], indent=2))
    else:
        for result in results:
            _print(result)
    failed = [result for result in results if result.state == FAIL]
    return next((result.exit_code for result in failed if result.exit_code), ExitCode.CLEAN)


def _print(result: Result) -> None:
    click.echo(printable(f"{result.state:5} {result.check:12} {result.found}"))
    if result.fix:
        click.echo(printable(f"{'':18} → {result.fix}"))
