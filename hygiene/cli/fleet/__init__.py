"""``hygiene fleet``: many repositories, one inventory."""

from __future__ import annotations

import os
from importlib import import_module
from typing import cast

import click

_OF_ONE_REPOSITORY = (  # git rev-parse --local-env-vars: what a hook's environment says of the repository around it
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",
    "GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR",
)  # fmt: skip
_PARTS = ("add", "remove", "scan", "status", "report", "respond", "listen")


class _Parts(click.Group):
    """Imports a subcommand when it is called: the webhook's server, say, is of no use to the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _PARTS:
            return None
        return cast(click.Command, import_module(f"hygiene.cli.fleet.{cmd_name}").command)


@click.group(cls=_Parts, short_help="Scan many repositories, and see who has what to do.")
def command() -> None:
    """Which credential is where, in all repositories; who owns it, and is it closing?

    \b
    hygiene fleet add ./clones          a folder, a list, github:ORG or gitlab:GROUP
    hygiene fleet scan                  all that has changed
    hygiene fleet report                where it stands, and each secret's fingerprint
    hygiene fleet respond v1:…          a branch in each repository, one rotation for all

    The inventory is a SQLite file of yours, or what HYGIENE_FLEET_DATABASE names; it holds no values. docs/fleet.md
    tells more.
    """
    for name in _OF_ONE_REPOSITORY:
        os.environ.pop(name, None)


import_module("sqlalchemy")  # missing in a bare install: said for the whole group, with what to install
