"""``hygiene fleet report``: the whole, a repository, an owner or one exposure; page by page."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from hygiene.cli.compose import notice
from hygiene.cli.fleet.opening import database_option, open_database
from hygiene.errors import UsageError
from hygiene.fileio import make_private_folder
from hygiene.fleet.inventory.models import Owner, Repository
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.pages import Page, Slice, exposure_number, exposures, findings, number_of, repositories
from hygiene.fleet.inventory.trend import Standing, standing, standing_of_owners, trend
from hygiene.fleet.reporttext import write_page, write_standing, write_trend
from hygiene.fleet.sarif import write_sarif
from hygiene.fleet.tickets import sink, tickets

_KINDS = ("repository", "owner", "exposure", "state", "repositories", "owners", "trend")


@click.command("report", short_help="Where it stands: all, a repository, an owner, an exposure.")
@click.option("--repository", default="", metavar="NAME", help="The findings of one repository.")
@click.option("--owner", "--team", default="", metavar="NAME", help="The findings that one owner answers for.")
@click.option("--exposure", default="", metavar="FINGERPRINT", help="Every place of one leaked secret.")
@click.option("--state", type=click.Choice(["open", "rotated", "closed"]), help="The exposures in this state.")
@click.option("--repositories", is_flag=True, help="The repositories, those with the gravest findings first.")
@click.option("--owners", is_flag=True, help="What each owner has to do.")
@click.option("--trend", "days", is_flag=True, help="How it stood day by day, with --owner for one owner.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Rows of a page.")
@click.option("--after", default="", metavar="PAGE", help="The next page, as the one before named it.")
@click.option("--format", "format_name", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@click.option("--sarif", type=click.Path(file_okay=False, path_type=Path), help="Write a SARIF file a repository here.")
@click.option("--tickets", "target", default="", metavar="DIR|URL", help="Give a ticket system every open exposure.")
@database_option
def command(*, database: str, **options: Any) -> int:
    """Show how the fleet stands.

    \b
    hygiene fleet report                        the whole, and what is worst
    hygiene fleet report --team @org/payments   what one team answers for
    hygiene fleet report --exposure v1:…        every place of one secret
    """
    chosen = [kind for kind in _KINDS if options["days" if kind == "trend" else kind]]
    if len(chosen) > 1 and chosen != ["owner", "trend"]:
        raise UsageError(f"{' and '.join('--' + kind for kind in chosen)} exclude each other")
    inventory = open_database(database)
    if options["sarif"]:
        folder = make_private_folder(options["sarif"])
        count = inventory.run(lambda session: sum(1 for _ in write_sarif(session, folder)))
        notice(f"wrote {count} SARIF files into {folder}")
    if options["target"]:
        give = sink(options["target"])
        notice(f"gave {sum(map(give, tickets(inventory)))} new or changed tickets to {options['target']}")
    if not (options["sarif"] or options["target"]):
        _show(inventory, options)
    return 0


def _show(inventory: Inventory, options: dict[str, Any]) -> None:
    format_name = options["format_name"]
    if options["days"]:
        days = inventory.run(lambda session: trend(session, options["owner"]))
        _write(
            [{"day": day, **found._asdict()} for day, found in days], "", format_name
        ) if format_name != "text" else (write_trend(days, sys.stdout))
        return
    page, whole = inventory.run(lambda session: (_page(session, options), _whole(session, options)))
    if format_name == "text":
        if whole is not None:
            write_standing(whole, sys.stdout)
        write_page(page, sys.stdout)
    else:
        _write(list(page.rows), page.next, format_name, whole)


def _whole(session: Session, options: dict[str, Any]) -> Standing | None:
    return None if options["after"] or any(options[kind] for kind in _KINDS[:-1]) else standing(session)


def _page(session: Session, options: dict[str, Any]) -> Page:
    wanted = Slice(options["limit"], options["after"])
    if options["repository"]:
        return findings(
            session, wanted, repository=number_of(session, Repository.name, options["repository"], "repository")
        )
    if options["owner"]:
        return findings(session, wanted, owner=number_of(session, Owner.name, options["owner"], "owner"))
    if options["exposure"]:
        return findings(session, wanted, exposure=exposure_number(session, options["exposure"]))
    if options["repositories"]:
        return repositories(session, wanted)
    if options["owners"]:
        kept = ("places", "critical", "high", "medium", "low")
        rows = ({"owner": name, **found._asdict()} for name, found in standing_of_owners(session).items())
        return Page(tuple({name: row[name] for name in ("owner", *kept)} for row in rows), "")
    return exposures(session, wanted, options["state"] or "open")


def _write(rows: list[dict[str, Any]], after: str, format_name: str, whole: Standing | None = None) -> None:
    if format_name == "json":
        document = {"rows": rows, "next": after, **({"standing": whole._asdict()} if whole else {})}
        json.dump(document, sys.stdout, indent=1)
        print()
        return
    writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else ["nothing"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    if after:
        notice(f"more: --after {after}")


def _cell(value: Any) -> Any:
    """Keep a spreadsheet from reading a path or an author as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
