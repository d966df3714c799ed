"""How stored secrets are shown: as JSON for scripts, as aligned text for people. Never a value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import click

from hygiene.config import Config
from hygiene.moment import duration_of, format_moment, later
from hygiene.report.terminal import printable
from hygiene.store.protocol import CURRENT, StoredSecret
from hygiene.store.resolve import expiry_of


def due_of(told: StoredSecret, max_age: timedelta | None) -> datetime | None:
    """Give the moment from which rotation is due: the secret's own or by its age, whichever is first."""
    current = told.staged(CURRENT)
    by_age = later(max_age, current.created) if max_age is not None and current is not None else None
    return min((moment for moment in (told.due, by_age) if moment is not None), default=None)


class Ages(NamedTuple):
    """How old a version may be by the configuration: until its rotation is due, and until it expires."""

    due: timedelta | None
    expired: timedelta | None


def ages_of(config: Config) -> Ages:
    """Read ``[rotation] max_age`` and ``[expiry] after``."""
    return Ages(duration_of(config.rotation_max_age), duration_of(config.expiry_after))


def expires_of(told: StoredSecret, live_for: timedelta | None) -> datetime | None:
    """Give the moment from which the current version must not be used."""
    current = told.staged(CURRENT)
    return expiry_of(current, live_for) if current else told.expires


def json_of(told: StoredSecret, ages: Ages, *, versions: bool = False) -> dict[str, Any]:
    """Give the JSON form of a stored secret."""
    current = told.staged(CURRENT)
    shown: dict[str, Any] = {
        "name": told.name,
        "reference": str(told.reference),
        "version": current.id if current else None,
        "created": format_moment(told.created),
        "expires": format_moment(expires_of(told, ages.expired)),
        "due": format_moment(due_of(told, ages.due)),
        "owner": told.owner,
        "labels": dict(told.labels),
        "deleted": format_moment(told.deleted),
    }
    if versions:
        shown["versions"] = [
            {
                "version": version.id,
                "created": format_moment(version.created),
                "expires": format_moment(expiry_of(version, ages.expired)),
                "stages": sorted(version.stages),
            }
            for version in told.versions
        ]
    return shown


def echo_json(document: object) -> None:
    """Write ``document`` to stdout."""
    click.echo(json.dumps(document, indent=2))


def echo_table(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Write aligned columns to stdout; what others named must not steer the terminal."""
    table = [tuple(header), *(tuple(printable(cell) if cell else "–" for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
