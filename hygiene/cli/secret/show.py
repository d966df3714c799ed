"""How stored secrets are shown: as JSON for scripts, as aligned text for people. Never a value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from hygiene.moment import format_moment, later, parse_duration
from hygiene.store.protocol import CURRENT, StoredSecret


def due_of(told: StoredSecret, max_age: timedelta | None) -> datetime | None:
    """Give the moment from which rotation is due: the secret's own or by its age, whichever is first."""
    current = told.staged(CURRENT)
    by_age = later(max_age, current.created) if max_age is not None and current is not None else None
    return min((moment for moment in (told.due, by_age) if moment is not None), default=None)


def max_age_of(text: str) -> timedelta | None:
    """Read ``[rotation] max_age``."""
    return parse_duration(text) if text else None


def json_of(told: StoredSecret, max_age: timedelta | None, *, versions: bool = False) -> dict[str, Any]:
    """Give the JSON form of a stored secret."""
    current = told.staged(CURRENT)
    shown: dict[str, Any] = {
        "name": told.name,
        "reference": str(told.reference),
        "version": current.id if current else None,
        "created": format_moment(told.created),
        "expires": format_moment(told.expires),
        "due": format_moment(due_of(told, max_age)),
        "owner": told.owner,
        "labels": dict(told.labels),
        "deleted": format_moment(told.deleted),
    }
    if versions:
        shown["versions"] = [
            {
                "version": version.id,
                "created": format_moment(version.created),
                "expires": format_moment(version.expires),
                "stages": sorted(version.stages),
            }
            for version in told.versions
        ]
    return shown


def echo_json(document: object) -> None:
    """Write ``document`` to stdout."""
    click.echo(json.dumps(document, indent=2))


def echo_table(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Write aligned columns to stdout."""
    table = [tuple(header), *(tuple(cell or "–" for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
