"""``hygiene baseline update``: accept what is new, drop what is gone."""

from __future__ import annotations

import click

from hygiene.cli.baseline.finding import Place, entry_of, existing, file_option, findings_under, history_option, new_key
from hygiene.detect.baseline import Baseline, entries_from, write_baseline


@click.command("update")
@file_option
@history_option
@click.option("--reason", default="", help="Why the new ones are accepted; kept with each.")
@click.option("--keep-gone", is_flag=True, help="Keep entries whose value is no longer found.")
@click.option("--dry-run", is_flag=True, help="Tell what would change.")
def update(wish: str, history: bool, reason: str, keep_gone: bool, dry_run: bool) -> int:
    """Accept the findings that are new, and drop entries whose value is gone; decisions and reasons stay."""
    place = Place.here(wish)
    before = existing(place) or Baseline(new_key(), {})
    found = findings_under(before.key, place, history=history).new
    now = entries_from(entry_of(finding, reason=reason) for finding in found)
    gone = {} if keep_gone else {name: entry for name, entry in before.entries.items() if name not in now}
    added = {name: entry for name, entry in now.items() if name not in before.entries}
    for sign, entries in (("+", added), ("-", gone)):
        for entry in entries.values():
            click.echo(f"{sign} {entry.fingerprint} {entry.rule} {entry.path!a}")
    if not dry_run and (added or gone or not place.path.exists()):
        kept = {name: entry for name, entry in before.entries.items() if name not in gone}
        write_baseline(place.path, Baseline(before.key, kept | added))
    return 0
