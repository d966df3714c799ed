"""``hygiene baseline audit``: decide on each accepted finding, one key a decision."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import click

from hygiene.cli.baseline.finding import Place, existing, file_option, findings_under, history_option
from hygiene.detect.baseline import Baseline, Entry, write_baseline
from hygiene.errors import ConfigError, UsageError
from hygiene.finding import Finding
from hygiene.report.terminal import printable

_KEYS = {"r": "real", "f": "false"}


@dataclass
class _Walk:
    baseline: Baseline
    place: Place

    def decide(self, entry: Entry, decision: str, reason: str = "") -> None:
        entries = dict(self.baseline.entries)
        entries[entry.fingerprint] = entry._replace(decision=decision, reason=reason or entry.reason)
        self.baseline = Baseline(self.baseline.key, entries)
        write_baseline(self.place.path, self.baseline)  # at once: a walk that is broken off loses nothing


@click.command("audit")
@file_option
@history_option
@click.option("--json", "as_json", is_flag=True, help="Print the entries and their decisions.")
@click.option("--decide", multiple=True, metavar="FINGERPRINT=real|false", help="Decide without asking.")
@click.option("--reason", default="", help="With --decide: why.")
@click.option("--require", is_flag=True, help="Fail (1) while an entry has no decision.")
def audit(wish: str, history: bool, as_json: bool, **options: Any) -> int:
    """Walk through the accepted findings: r real, f false alarm, s skip, q quit."""
    place = Place.here(wish)
    baseline = existing(place)
    if baseline is None:
        raise ConfigError(f"there is no baseline at {place.path}", hint="hygiene baseline create makes one")
    walk = _Walk(baseline, place)
    decide, require = options["decide"], options["require"]
    for wanted in decide:
        walk.decide(*_decision(wanted, baseline), options["reason"])
    if as_json:
        rows = [entry._asdict() for _name, entry in sorted(walk.baseline.entries.items())]
        click.echo(json.dumps(rows, indent=2))
    elif not decide and not require:
        _ask(walk, history)
    open_entries = [entry for entry in walk.baseline.entries.values() if not entry.decision]
    if require and open_entries:
        click.echo(f"hygiene: {len(open_entries)} entries have no decision", err=True)
        return 1
    return 0


def _decision(wanted: str, baseline: Baseline) -> tuple[Entry, str]:
    name, _, decision = wanted.rpartition("=")
    if decision not in _KEYS.values():
        raise UsageError(f"{wanted!r} is not FINGERPRINT=real or FINGERPRINT=false")
    entry = baseline.entries.get(name)
    if entry is None:
        raise UsageError(f"the baseline has no entry {name}")
    return entry, decision


def _ask(walk: _Walk, history: bool) -> None:
    if not sys.stdin.isatty():
        raise UsageError("audit asks on a terminal", hint="use --json and --decide in scripts")
    found = {finding.fingerprint: finding for finding in _findings(walk, history)}
    todo = [entry for _name, entry in sorted(walk.baseline.entries.items()) if not entry.decision]
    for number, entry in enumerate(todo, 1):
        click.echo(f"\n{number}/{len(todo)}  {_described(entry, found.get(entry.fingerprint))}")
        click.echo("  r real · f false alarm · s skip · q quit ", nl=False)
        key = click.getchar().lower()
        click.echo(key)
        if key == "q":
            return
        if key in _KEYS:
            walk.decide(entry, _KEYS[key])


def _findings(walk: _Walk, history: bool) -> tuple[Finding, ...]:
    return findings_under(walk.baseline.key, walk.place, history=history).findings


def _described(entry: Entry, finding: Finding | None) -> str:
    if finding is None:
        return f"{printable(entry.path)}  {entry.rule}  (not found any more)  {entry.fingerprint}"
    place = f"{printable(finding.path)}:{finding.line_start}"
    return f"{place}  {printable(finding.description)}  {finding.secret.redacted()}  {entry.fingerprint}"
