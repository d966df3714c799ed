"""``hygiene audit``: look at the evidence, and prove that it is whole."""

from __future__ import annotations

import click

from hygiene.cli.audit_anchor import anchor, key, restart
from hygiene.cli.audit_export import export, import_
from hygiene.cli.audit_exposures import accept, exposures, report
from hygiene.cli.audit_log import log
from hygiene.cli.audit_verify import verify


@click.group()
def command() -> None:
    """Look at the audit log, verify it, and report what it proves."""


for subcommand in (log, verify, exposures, report, accept, anchor, key, restart, export, import_):
    command.add_command(subcommand)
