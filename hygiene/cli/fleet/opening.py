"""Opens what the fleet's commands work with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from hygiene.cli.compose import notice
from hygiene.fleet.inventory.opening import Inventory, database_url, open_inventory
from hygiene.fleet.key import FleetKey, open_key

Function = TypeVar("Function", bound=Callable[..., Any])


def open_database(database: str) -> Inventory:
    """Open the inventory, to read it or to add sources to it."""
    return open_inventory(database_url(database), told=notice)


def open_fleet(database: str, told: Callable[[str], None] = notice) -> tuple[Inventory, FleetKey]:
    """Open the inventory and the organisation's key, without which no fingerprint is made."""
    url = database_url(database)
    key = open_key()
    return open_inventory(url, key, told=told), key


def database_option(command: Function) -> Function:
    """Add ``--database URL`` to a command."""
    return click.option(
        "--database",
        default="",
        metavar="URL",
        help="Inventory: sqlite:///FILE or postgresql://USER@HOST/NAME [default: HYGIENE_FLEET_DATABASE, or yours].",
    )(command)


class Line:
    """Shows on a terminal how far a run is; nothing elsewhere."""

    def __init__(self) -> None:
        """Write to stderr."""
        self._shows = sys.stderr.isatty()
        self._begun = False  # whether the cursor stands behind words

    def tell(self, words: str) -> None:
        """Tell something else, on a line of its own."""
        self.end()
        notice(words)

    def end(self) -> None:
        """Leave what is shown, and go on below it."""
        if self._begun:
            print(file=sys.stderr)
            self._begun = False

    def surveyed(self, done: int, total: int) -> None:
        """Show how many repositories were looked at."""
        self._show(f"{done} of {total} repositories looked at", last=done == total)

    def scanned(self, done: int, total: int, failed: int) -> None:
        """Show how many are through."""
        more = f", {failed} failed" if failed else ""
        self._show(f"{done} of {total} changed repositories scanned{more}", last=done == total)

    def _show(self, words: str, *, last: bool) -> None:
        if self._shows:
            print(f"\r\x1b[Khygiene: {words}", end="", file=sys.stderr, flush=True)
            self._begun = True
            if last:
                self.end()
