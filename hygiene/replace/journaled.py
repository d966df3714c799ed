"""What a migration's journal says: which secrets and files, and how to undo each edit. Never a value."""

from __future__ import annotations

import codecs
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hygiene.replace import undo
from hygiene.replace.edits import Edit, digest
from hygiene.replace.opened import Opened, open_file
from hygiene.replace.plan import Entry, FilePlan, Place, Plan, Step, units
from hygiene.replace.rewriters.protocol import Rewrite, Skip
from hygiene.replace.undo import Inverse


class KeptStep(NamedTuple):
    """A step as the journal keeps it."""

    place: Place
    name: str
    variable: str
    reference: str


class KeptFile(NamedTuple):
    """A file as the journal keeps it."""

    path: str
    before: str  # hash; empty: the file did not exist
    after: str
    steps: tuple[KeptStep, ...] = ()
    inverses: tuple[Inverse, ...] = ()


class KeptEntry(NamedTuple):
    """A secret as the journal keeps it."""

    name: str
    reference: str
    variables: tuple[str, ...]
    token: str  # makes a repeated put a no-op
    rule: str
    fingerprint: str
    steps: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


class Unit(NamedTuple):
    """Secrets and files that are migrated together or not at all."""

    entries: tuple[KeptEntry, ...]
    files: tuple[KeptFile, ...]


def kept_units(plan: Plan) -> list[Unit]:
    """Give the units of ``plan``, each secret with a fresh token for its write."""
    steps = {step.id: step for step in plan.steps}
    return [
        Unit(tuple(_kept_entry(entry) for entry in entries), tuple(_kept_file(file, steps) for file in files))
        for entries, files in units(plan)
        if files
    ]


def kept_wiring(path: str, before: bytes | None, after: bytes) -> KeptFile:
    """Keep a wiring file: text was added in one or more places, and nothing in it is secret."""
    old = before or b""
    inverse = _difference(old, after)
    return KeptFile(path, "" if before is None else digest(old), digest(after), (), (inverse,))


def unit_to_json(unit: Unit) -> dict[str, Any]:
    """Give a form for the journal."""
    return {
        "entries": [
            {**entry._asdict(), "variables": list(entry.variables), "steps": list(entry.steps)}
            for entry in unit.entries
        ],
        "files": [file_to_json(file) for file in unit.files],
    }


def unit_from_json(document: Mapping[str, Any]) -> Unit:
    """Read the form of the journal."""
    entries = (
        KeptEntry(
            **{
                **entry,
                "variables": tuple(entry["variables"]),
                "steps": tuple(entry["steps"]),
                "labels": tuple((key, text) for key, text in entry.get("labels", ())),
            }
        )
        for entry in document["entries"]
    )
    return Unit(tuple(entries), tuple(file_from_json(file) for file in document["files"]))


def file_to_json(file: KeptFile) -> dict[str, Any]:
    """Give a form for the journal."""
    steps = [[list(step.place), step.name, step.variable, step.reference] for step in file.steps]
    return {**file._asdict(), "steps": steps, "inverses": undo.to_json(file.inverses)}


def file_from_json(document: Mapping[str, Any]) -> KeptFile:
    """Read the form of the journal."""
    steps = tuple(KeptStep(Place(*place), *names) for place, *names in document["steps"])
    return KeptFile(**{**document, "steps": steps, "inverses": tuple(undo.from_json(document["inverses"]))})


def _kept_entry(entry: Entry) -> KeptEntry:
    token = str(uuid.uuid4())
    reference = str(entry.reference)
    return KeptEntry(
        entry.name, reference, entry.variables, token, entry.rule, entry.fingerprint, entry.steps, entry.labels
    )


def _kept_file(file: FilePlan, steps: Mapping[str, Step]) -> KeptFile:
    opened = open_file(file.path, file.before)
    assert not isinstance(opened, Skip)
    own = [steps[id] for id in file.steps]
    names = _names_by_start(opened, own)
    inverses = undo.inverses(opened.file, Rewrite(file.changes, (), _shared(opened, file)), names)
    kept = tuple(KeptStep(step.place, step.name, step.variable, step.reference) for step in own)
    return KeptFile(file.path, digest(file.before), digest(file.after), kept, tuple(inverses))


def _names_by_start(opened: Opened, steps: Sequence[Step]) -> dict[int, str]:
    return {opened.text.offset_in_utf8(step.place.start): step.name for step in steps}


def _shared(opened: Opened, file: FilePlan) -> tuple[Edit, ...]:
    own = {edit for change in file.changes for edit in change.edits}
    return tuple(edit for edit in file.edits if edit not in own)


def _difference(old: bytes, new: bytes) -> Inverse:
    """Give the one edit of ``new`` that makes ``old``: all between their common beginning and end."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    tail = 0
    while tail < min(len(old), len(new)) - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    mark = len(codecs.BOM_UTF8) if new.startswith(codecs.BOM_UTF8) else 0
    forward = new[start : len(new) - tail].decode("latin-1")
    return Inverse(start - mark, len(new) - tail - mark, (old[start : len(old) - tail].decode("latin-1"),), forward)
