"""The baseline: leaks that are known and accepted for now, by fingerprint.

``.hygiene.baseline.json`` is sorted, one entry a line, without lines, columns or times, so that it merges and never
changes because code moved. It also holds the project's random key that fingerprints are made under.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hygiene.errors import ConfigError
from hygiene.fileio import write_atomic

FILE_NAME = ".hygiene.baseline.json"
FORMAT = 1
_KEY_BYTES = 32


class Entry(NamedTuple):
    """One accepted leak."""

    fingerprint: str
    rule: str
    path: str  # where it was first seen: for the reader, not for matching
    reason: str = ""
    decision: str = ""  # of an audit: real, false, or "" for none yet


class Baseline(NamedTuple):
    """All accepted leaks of a repository, and the key of their fingerprints."""

    key: bytes
    entries: Mapping[str, Entry]  # by fingerprint


def read_baseline(path: Path) -> Baseline | None:
    """Read the baseline at ``path``, or None where there is none. Raises ConfigError for one that is broken."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read the baseline {path}: {error.strerror}") from error
    return parse_baseline(text, str(path))


def parse_baseline(text: bytes, source: str) -> Baseline:
    """Read a baseline from ``text``; ``source`` stands in messages. Raises ConfigError."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise ConfigError(f"{source} has format {document['format']}; this version reads {FORMAT}")
        key = bytes.fromhex(document["project"])
        entries = [_entry(row) for row in document["findings"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{source} is not a baseline: {type(error).__name__}",
            hint="after a merge conflict: git checkout --ours, then hygiene baseline update",
        ) from error
    if len(key) < _KEY_BYTES:
        raise ConfigError(f"{source}: its key is too short")
    return Baseline(key, {entry.fingerprint: entry for entry in entries})


def format_baseline(baseline: Baseline) -> bytes:
    """Write ``baseline`` as text: sorted, one entry a line."""
    rows = [_row(baseline.entries[name]) for name in sorted(baseline.entries)]
    lines = ",\n".join("    " + json.dumps(row, ensure_ascii=True) for row in rows)
    body = f"[\n{lines}\n  ]" if rows else "[]"
    return f'{{\n  "format": {FORMAT},\n  "project": "{baseline.key.hex()}",\n  "findings": {body}\n}}\n'.encode()


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Replace the baseline at ``path``. Raises WriteError."""
    write_atomic(path, format_baseline(baseline), mode=0o644)


def merged(ours: Baseline, theirs: Baseline, ancestor: Baseline | None) -> Baseline:
    """Join what two branches accept: what either added stays, what either removed goes."""
    before = ancestor.entries if ancestor else {}
    names = {
        name
        for name in {*ours.entries, *theirs.entries}
        if (name in ours.entries and name in theirs.entries) or name not in before
    }
    return Baseline(ours.key, {name: _newer(name, ours, theirs, before) for name in names})


def _newer(name: str, ours: Baseline, theirs: Baseline, before: Mapping[str, Entry]) -> Entry:
    mine, other = ours.entries.get(name), theirs.entries.get(name)
    if mine is None or (other is not None and mine == before.get(name)):
        assert other is not None
        return other
    return mine


def _entry(row: Mapping[str, Any]) -> Entry:
    entry = Entry(**{field: row.get(field, "") for field in Entry._fields})
    if not all(isinstance(value, str) for value in entry) or not entry.fingerprint:
        raise ValueError("an entry holds strings")
    return entry


def _row(entry: Entry) -> dict[str, str]:
    return {field: value for field, value in entry._asdict().items() if value or field == "fingerprint"}


def entries_from(items: Iterable[Entry]) -> dict[str, Entry]:
    """Key ``items`` by fingerprint; the first of two stays."""
    entries: dict[str, Entry] = {}
    for entry in items:
        entries.setdefault(entry.fingerprint, entry)
    return entries
