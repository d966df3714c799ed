"""One self-contained HTML page: no server, no network, no script but its own, and every text escaped.

The policy in the page allows exactly the style and the script that stand in it (by their hashes), so that a name
which slipped through the escaping would still run nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple

from hygiene import __version__
from hygiene.report.terminal import printable

ROWS_AT_ONCE = 100  # what a browser lays out without a pause; page.js shows as many at a time


class Column(NamedTuple):
    """A column of the table."""

    title: str
    numeric: bool = False  # its keys are numbers


class Cell(NamedTuple):
    """A cell: HTML that is safe already, and what to sort by where that is not its text."""

    html: str
    key: str = ""


class Row(NamedTuple):
    """A row, and the facts that the filters look at."""

    cells: Sequence[Cell]
    facts: Sequence[tuple[str, str]]


def text(value: str) -> str:
    """Give ``value`` as HTML text."""
    return escape(printable(value))


def quiet_line(value: str) -> str:
    """Give ``value`` as a second, quiet line of a cell; nothing for nothing."""
    return f'<br><span class="quiet">{text(value)}</span>' if value else ""


def identifier(value: str) -> str:
    """Give ``value``, an id that people copy and programs read, as a small line of its own."""
    return f'<br><span class="id">{text(value)}</span>'


def cards(figures: Iterable[tuple[str, str]]) -> str:
    """Give figures, each a name and a value, as a list of cards."""
    return (
        '<dl class="cards">'
        + "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in figures)
        + "</dl>\n"
    )


def bars(caption: str, values: Sequence[tuple[str, int]]) -> str:
    """Give a bar chart; its numbers are text, so that a reader without eyes for it has them too."""
    highest = max((count for _, count in values), default=0) or 1
    parts = []
    for number, (name, count) in enumerate(values):
        y = number * 22
        width = round(220 * count / highest, 1)
        parts.append(f'<text x="0" y="{y + 15}">{text(name)}</text>')
        kind = f"bar {name}" if name.isalpha() else "bar"  # a severity or a state has its colour
        parts.append(f'<rect class="{text(kind)}" x="130" y="{y + 3}" width="{width}" height="15"/>')
        parts.append(f'<text x="{width + 136:.1f}" y="{y + 15}">{count}</text>')
    label = text(f"{caption}: " + ", ".join(f"{name} {count}" for name, count in values))
    height = 22 * len(values)
    size = f'width="400" height="{height}" viewBox="0 0 400 {height}"'
    svg = f'<svg role="img" aria-label="{label}" {size}>{"".join(parts)}</svg>'
    return f"<figure><figcaption>{text(caption)}</figcaption>{svg}</figure>\n"


def table(caption: str, columns: Sequence[Column], rows: Sequence[Row], filters: Sequence[str]) -> str:
    """Give the table with its search field and one choice a fact in ``filters``."""
    head = "<thead><tr>" + "".join(map(_header, columns)) + "</tr></thead>"
    return (
        _filters(rows, filters)
        + f'<div class="frame" tabindex="0" role="region" aria-label="{text(caption)}">'
        + f"<table><caption>{text(caption)}</caption>{head}\n<tbody>\n"
        + "".join(map(_row, rows[:ROWS_AT_ONCE]))
        + "</tbody></table>\n"
        + _rest(caption, head, rows[ROWS_AT_ONCE:])
        + "</div>\n"
        + '<p class="more"><button type="button" id="more" hidden>Show more</button></p>\n'
    )


def page(title: str, lead: str, body: str) -> str:
    """Give the whole page; ``lead`` is text, ``body`` HTML that is safe already."""
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{text(title)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><h1>{text(title)}</h1><p class="lead">{text(lead)}</p></header>
<main id="content">
{body}</main>
<footer><p>hygiene {text(__version__)}. Values are not part of this report.</p></footer>
<script>{script}</script>
</body>
</html>
"""


def _header(column: Column) -> str:
    numeric = " data-numeric" if column.numeric else ""
    return f'<th scope="col"{numeric}><button type="button">{text(column.title)}</button></th>'


def _rest(caption: str, head: str, rows: Sequence[Row]) -> str:
    """Give the rows beyond the first: a table where no script runs, else a text that the script reads, a row a line.

    A browser that runs scripts does not parse it, so that the page opens at once however many rows there are.
    """
    if not rows:
        return ""
    title = f"<caption>{text(caption)}, continued</caption>"
    return f'<noscript id="rest"><table>{title}{head}<tbody>\n{"".join(map(_row, rows))}</tbody></table></noscript>\n'


def _filters(rows: Sequence[Row], names: Sequence[str]) -> str:
    parts = ['<div class="filters" hidden>']
    parts.append('<label>Search<input id="search" type="search" autocomplete="off"></label>')
    for name in names:
        values = sorted({value for row in rows for fact, value in row.facts if fact == name})
        options = "".join(f'<option value="{text(value)}">{text(value)}</option>' for value in values)
        choice = f'<select data-fact="{text(name)}"><option value="">all</option>{options}</select>'
        parts.append(f"<label>{text(name.capitalize())}{choice}</label>")
    parts.append(f'<output id="count" aria-live="polite" data-rows="{len(rows)}"></output></div>\n')
    return "".join(parts)


def _row(row: Row) -> str:
    facts = "".join(f' data-{name}="{text(value)}"' for name, value in row.facts)
    cells = "".join(
        f'<td data-key="{text(cell.key)}">{cell.html}</td>' if cell.key else f"<td>{cell.html}</td>"
        for cell in row.cells
    )
    return f"<tr{facts}>{cells}</tr>\n"


def _asset(name: str) -> str:
    return files("hygiene.report").joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
