"""``hygiene baseline``: what is known and accepted for now."""

from __future__ import annotations

import click

from hygiene.cli.baseline.audit import audit
from hygiene.cli.baseline.create import create
from hygiene.cli.baseline.importing import import_file
from hygiene.cli.baseline.merge import merge
from hygiene.cli.baseline.prune import prune
from hygiene.cli.baseline.update import update


@click.group("baseline", short_help="Known findings: create, update, audit, prune, import.")
def command() -> None:
    """Keep the findings that are known and accepted for now in .hygiene.baseline.json.

    They are kept by fingerprint: a moved line or a renamed file changes nothing, another value is new.
    """


for part in (create, update, audit, prune, import_file, merge):
    command.add_command(part)
