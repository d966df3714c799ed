"""The fleet's reports as text, for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from hygiene.fleet.inventory.pages import Page
from hygiene.fleet.inventory.trend import Standing
from hygiene.report.terminal import printable

_HIDDEN = ("description", "author", "state", "first_seen", "closed", "scanned", "problem", "status")
_SHORT = {"commit": 10, "fingerprint": 15, "date": 10}
_WIDEST = 48
_BAR = 40


def write_standing(found: Standing, stream: TextIO) -> None:
    """Write how the whole stands."""
    severities = ", ".join(
        f"{getattr(found, name)} {name}" for name in ("critical", "high", "medium", "low") if getattr(found, name)
    )
    stream.write(
        f"{found.repositories} repositories; {found.exposures} secrets leaked in {found.places} places"
        f"{f': {severities}' if severities else ''}\n"
    )
    if found.rotated or found.closed:
        stream.write(f"{found.rotated} rotated and not yet gone from every repository, {found.closed} closed\n")
    stream.write("\n")


def write_page(page: Page, stream: TextIO) -> None:
    """Write a page as a table: what says the same in every row is left out."""
    if not page.rows:
        stream.write("nothing to show\n")
        return
    names = [name for name in page.rows[0] if name not in _HIDDEN and any(row[name] for row in page.rows)]
    cells = [[_cell(name, row[name]) for name in names] for row in page.rows]
    heads = [name.replace("_", " ") for name in names]
    widths = [max(len(line[index]) for line in (heads, *cells)) for index in range(len(names))]
    for line in (heads, *cells):
        stream.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n")
    if page.next:
        stream.write(f"\nmore: --after {page.next}\n")


def write_trend(days: Sequence[tuple[str, Standing]], stream: TextIO) -> None:
    """Write a line a day."""
    if not days:
        stream.write("no scan has ended yet\n")
        return
    most = max(max(found.exposures, found.places) for _, found in days) or 1
    for day, found in days:
        number = found.exposures or found.places
        closed = f", {found.closed} closed" if found.closed else ""
        stream.write(f"{day}  {'▇' * -(-number * _BAR // most)} {number}{closed}\n")


def _cell(name: str, value: Any) -> str:
    text = printable(str(value))
    if name in _SHORT:
        return text[: _SHORT[name]]
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST // 2 - 1]}…{text[-_WIDEST // 2 :]}"
