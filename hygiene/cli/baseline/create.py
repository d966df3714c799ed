"""``hygiene baseline create``: accept what is there now."""

from __future__ import annotations

import click

from hygiene.cli.baseline.finding import Place, entry_of, file_option, findings_under, history_option, new_key
from hygiene.detect.baseline import Baseline, entries_from, write_baseline
from hygiene.detect.foreign.registry import detect_secrets_writer
from hygiene.errors import UsageError
from hygiene.fileio import write_atomic


@click.command("create")
@file_option
@history_option
@click.option("--reason", default="", help="Why they are accepted; kept with each.")
@click.option("--force", is_flag=True, help="Replace a baseline that is there, with all its decisions.")
@click.option("--detect-secrets", "foreign", metavar="FILE", default="", help="Write detect-secrets' format to FILE.")
def create(wish: str, history: bool, reason: str, force: bool, foreign: str) -> int:
    """Write a baseline of all that a scan finds now.

    With --detect-secrets, write FILE in that tool's format, keeping what it holds already.
    """
    place = Place.here(wish)
    if foreign:
        return _foreign(place, foreign, history)
    if place.path.exists() and not force:
        raise UsageError(f"there is a baseline at {place.path}", hint="hygiene baseline update keeps its decisions")
    key = new_key()
    found = findings_under(key, place, history=history).new
    entries = entries_from(entry_of(finding, reason=reason) for finding in found)
    write_baseline(place.path, Baseline(key, entries))
    click.echo(f"hygiene: {len(entries)} findings accepted in {place.path}", err=True)
    return 0


def _foreign(place: Place, name: str, history: bool) -> int:
    path = place.folder / name
    before = path.read_bytes() if path.exists() else b""
    found = findings_under(new_key(), place, history=history).new
    write_atomic(path, detect_secrets_writer().write(found, place.folder, before), mode=0o644)
    click.echo(f"hygiene: {len(found)} findings accepted in {path}", err=True)
    return 0
