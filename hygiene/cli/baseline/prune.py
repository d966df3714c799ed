"""``hygiene baseline prune``: which entries have had their day, and which say too little."""

from __future__ import annotations

import click

from hygiene.cli.baseline.finding import Place, existing, file_option, findings_under
from hygiene.detect.baseline import Baseline, Entry, write_baseline
from hygiene.errors import ConfigError, ExitCode
from hygiene.report.terminal import printable


@click.command("prune")
@file_option
@click.option("--apply", "apply_", is_flag=True, help="Drop the entries that are gone.")
def prune(wish: str, apply_: bool) -> int:
    """Show which entries could go: those whose value no file and no commit holds. Drop them with --apply.

    Entries without a reason are told, too, and left. Exits 1 while there is something left to do.
    """
    place = Place.here(wish)
    baseline = existing(place)
    if baseline is None:
        raise ConfigError(f"there is no baseline at {place.path}", hint="hygiene baseline create makes one")
    found = _found(baseline.key, place)
    gone = {name for name in baseline.entries if name not in found}
    mute = {name for name, entry in baseline.entries.items() if not entry.reason and name not in gone}
    for name in sorted(gone):
        click.echo(_line("-", baseline.entries[name], "gone: no file and no commit holds it"))
    for name in sorted(mute):
        click.echo(_line("!", baseline.entries[name], "no reason: hygiene baseline audit, or --decide … --reason …"))
    if apply_ and gone:
        kept = {name: entry for name, entry in baseline.entries.items() if name not in gone}
        write_baseline(place.path, Baseline(baseline.key, kept))
        click.echo(f"hygiene: {len(gone)} entries dropped from {place.path}", err=True)
    return ExitCode.FINDINGS if mute or (gone and not apply_) else ExitCode.CLEAN


def _found(key: bytes, place: Place) -> set[str]:
    """Give the fingerprints of all that the files and, in a repository, the commits hold."""
    scans = [findings_under(key, place, history=False)]
    if place.root is not None:
        scans.append(findings_under(key, place, history=True))
    return {finding.fingerprint for result in scans for finding in result.findings}


def _line(sign: str, entry: Entry, told: str) -> str:
    return printable(f"{sign} {entry.fingerprint} {entry.rule} {entry.path}  {told}")
