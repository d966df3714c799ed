"""``hygiene baseline import``: take over what was accepted with another scanner."""

from __future__ import annotations

from pathlib import Path

import click

from hygiene.cli.baseline.finding import Place, entry_of, existing, file_option, findings_under, history_option, new_key
from hygiene.detect.baseline import Baseline, write_baseline
from hygiene.detect.foreign.registry import format_of


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@file_option
@history_option
def import_file(file: Path, wish: str, history: bool) -> int:
    """Accept what FILE accepts: .secrets.baseline, .gitleaksignore, gitleaks' report, .gitguardian.yaml.

    Each of its entries is looked up in a scan, and kept by fingerprint; those that match nothing are told.
    """
    place = Place.here(wish)
    text = file.read_bytes()
    known = format_of(file, text).read(text)
    before = existing(place) or Baseline(new_key(), {})
    found = findings_under(before.key, place, history=history).new
    entries = dict(before.entries)
    unmatched = []
    for item in known:
        covered = [finding for finding in found if item.covers(finding)]
        for finding in covered:
            entry = entry_of(finding, reason=item.reason, decision=item.decision)
            entries.setdefault(finding.fingerprint, entry)
        if not covered:
            unmatched.append(item.place)
    write_baseline(place.path, Baseline(before.key, entries))
    click.echo(f"hygiene: {len(entries) - len(before.entries)} findings accepted in {place.path}", err=True)
    for name in unmatched:
        click.echo(f"hygiene: nothing found for {name!a}", err=True)
    return 0
