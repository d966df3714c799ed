"""``hygiene access``: who may do what, planned, applied and checked; access for a time, asked for and decided."""

from __future__ import annotations

import click

from hygiene.cli.access import decide, listing, merge, recovery, request, roles


@click.group()
def command() -> None:
    """Roles of the configuration, enforced by the store; and access for a time, with a reason."""


for _part in (roles, request, decide, listing, merge, recovery):
    for _command in _part.COMMANDS:
        command.add_command(_command)
