"""``hygiene secret``: put, read and look after stored secrets."""

from __future__ import annotations

import click

from hygiene.cli.secret import copy, delete, describe, expire, export, generate, get, listing, put


@click.group()
def command() -> None:
    """Put, read and look after stored secrets. Values enter by stdin, prompt or file, never by argument."""


for _part in (put, get, listing, describe, generate, delete, expire, copy, export):
    for _command in _part.COMMANDS:
        command.add_command(_command)
