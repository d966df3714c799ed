"""``hygiene baseline audit``: decide on each accepted finding, one key a decision."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from hygiene.cli.baseline.finding import Place, existing, file_option, findings_under, history_option
from hygiene.detect.baseline import Baseline, Entry, write_baseline
from hygiene.errors import ConfigError, UsageError
from hygiene.finding import Finding
from hygiene.report.terminal import printable

_KEYS = {"r": "real", "f": "false"}
_ASKED = (*_KEYS, "s", "b", "q")
_LONGEST = 160  # characters of a line that are shown


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
    """Walk through the accepted findings: r real, f false alarm, s skip, b back, q quit."""
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
    findings = findings_under(walk.baseline.key, walk.place, history=history).findings
    found = {finding.fingerprint: finding for finding in reversed(findings)}  # the first place of each
    todo = sorted((entry for entry in walk.baseline.entries.values() if not entry.decision), key=_order_by(found))
    decided: set[str] = set()
    number = 0
    while number < len(todo):
        entry = todo[number]
        finding = found.get(entry.fingerprint)
        click.echo(f"\n{number + 1}/{len(todo)}  {_described(entry, finding)}")
        if finding and (line := _line_of(finding, findings, walk.place.folder)):
            click.echo(f"  {line}")
        key = _key()
        if key == "q":
            break
        if key == "b":
            number = max(0, number - 1)
            continue
        if key in _KEYS:
            walk.decide(entry, _KEYS[key])
            decided.add(entry.fingerprint)
        number += 1
    left = sum(not entry.decision for entry in walk.baseline.entries.values())
    click.echo(f"\n{len(decided)} decided, {left} without a decision")


def _key() -> str:
    """Ask until one of the keys is pressed: another one decides nothing."""
    click.echo("  r real · f false alarm · s skip · b back · q quit ", nl=False)
    key = ""
    while key not in _ASKED:
        key = click.getchar().lower()
    click.echo(key)
    return key


def _order_by(found: Mapping[str, Finding]) -> Callable[[Entry], tuple[str, int, str]]:
    def order(entry: Entry) -> tuple[str, int, str]:
        finding = found.get(entry.fingerprint)
        return (finding.path, finding.line_start, "") if finding else (entry.path, 0, entry.fingerprint)

    return order


def _line_of(finding: Finding, findings: Iterable[Finding], folder: Path) -> str:
    """Give the line that ``finding`` begins on, without any value; "" where the file does not hold it as it is."""
    here = [
        other
        for other in findings
        if other.path == finding.path and other.line_start <= finding.line_start <= other.line_end
    ]
    if any(other.encoding or other.line_start != finding.line_start for other in here):
        return ""
    try:
        text = (folder / finding.path).read_bytes().splitlines()[finding.line_start - 1].decode()
    except (OSError, IndexError, ValueError):
        return ""
    for other in sorted(here, key=lambda other: other.column_start, reverse=True):
        first = other.column_start - 1
        last = len(text) if other.line_end > other.line_start else other.column_end - 1
        value = other.secret.reveal().decode("utf-8", "replace")
        if not value.startswith(text[first:last]):
            return ""
        text = text[:first] + other.secret.redacted() + text[last:]
        text = text.replace(value, other.secret.redacted())
    return printable(text.strip())[:_LONGEST]


def _described(entry: Entry, finding: Finding | None) -> str:
    if finding is None:
        return f"{printable(entry.path)}  {entry.rule}  (not found any more)  {entry.fingerprint}"
    place = f"{printable(finding.path)}:{finding.line_start}"
    return f"{place}  {printable(finding.description)}  {finding.secret.redacted()}  {entry.fingerprint}"
