"""``hygiene fleet add``: where repositories are listed."""

from __future__ import annotations

import click

from hygiene.cli.compose import notice
from hygiene.cli.fleet.opening import database_option, open_database
from hygiene.errors import ExitCode
from hygiene.fleet.inventory.sources import add_source, new_source
from hygiene.fleet.listing.protocol import Wanted
from hygiene.fleet.listing.refresh import refresh
from hygiene.fleet.listing.registry import kind_of, lister


@click.command("add", short_help="Add a source of repositories.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE…")
@click.option("--team", default="", metavar="NAME", help="Who answers for it where CODEOWNERS does not tell.")
@click.option("--archived", is_flag=True, help="Scan archived repositories, too.")
@click.option("--forks", is_flag=True, help="Take forks, too.")
@click.option("--api", default="", metavar="URL", help="The API of your own GitHub or GitLab server.")
@database_option
def command(*, sources: tuple[str, ...], team: str, archived: bool, forks: bool, api: str, database: str) -> int:
    """Add a folder of clones, a list file, github:ORG or gitlab:GROUP, and list what is there.

    Folders are scanned where they lie. Other repositories get a mirror of their own. GITHUB_TOKEN and GITLAB_TOKEN
    are used where they are set.
    """
    inventory = open_database(database)
    for text in sources:
        kind, location = kind_of(text)
        place = lister(kind).check(Wanted(location, api, archived, forks))
        wanted = new_source(kind, place, api=api, team=team, archived=archived, forks=forks)
        _, new = inventory.run(lambda session, wanted=wanted: add_source(session, wanted))  # type: ignore[misc]
        notice(f"{'added' if new else 'known already'}: {kind} {place}")
    return ExitCode.CLEAN if refresh(inventory, notice) else ExitCode.INCOMPLETE
