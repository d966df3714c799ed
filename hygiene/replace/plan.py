"""The plan of a migration: findings → secrets with names → steps and edits. Built without I/O.

One secret in twelve places is one entry and twelve steps. A plan serialises without values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from hygiene.reference import Reference
from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.protocol import MANUAL, Change
from hygiene.secret import Secret


class Place(NamedTuple):
    """Where a secret was found."""

    path: str
    start: int  # byte span in the file
    end: int
    line: int
    rule: str
    fingerprint: str

    @property
    def id(self) -> str:
        """The step's name in plan files and journals; the same for the same place in the same content."""
        text = "\0".join((self.path, self.rule, self.fingerprint, str(self.line), str(self.start)))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:10]


class Naming(NamedTuple):
    """What a plan may choose names from."""

    project: str
    reference: Callable[..., Reference]  # to the secret of a name, or to its ``field``, in the store of this migration
    stored: Mapping[str, Secret | None] = {}  # names that exist; None where the value is not known
    manifest: Mapping[str, Reference] = {}
    chosen: Mapping[str, tuple[str, str]] = {}  # step id → name and variable, from an edited plan file

    def reference_to(self, name: str) -> Reference:
        """Give the reference to the secret ``NAME``, or to the field of a stored object that is ``NAME#FIELD``."""
        stored, _, field = name.partition("#")
        return self.reference(stored, field=field) if field else self.reference(stored)


class Step(NamedTuple):
    """One place, and what happens there."""

    id: str
    path: str
    line: int
    rule: str
    name: str  # of the secret in the store, or NAME#FIELD of an object there; empty for manual steps
    variable: str
    reference: str
    grade: str  # safe, needs-wiring, manual
    reason: str
    advice: str
    place: Place
    environment: str = ""  # what a manifest must set for it
    uses: str = ""  # what the rewritten place depends on: variable, reference or nothing


class Entry(NamedTuple):
    """One secret to store."""

    name: str  # in the store, or NAME#FIELD of an object there
    reference: Reference
    secret: Secret
    variables: tuple[str, ...]  # environment names that the rewritten files read
    steps: tuple[str, ...]
    rule: str
    fingerprint: str
    labels: tuple[tuple[str, str], ...] = ()  # what the text around a password tells of its login


class FilePlan(NamedTuple):
    """What happens to one file."""

    path: str
    before: bytes
    after: bytes
    edits: tuple[Edit, ...]  # of its UTF-8 form
    changes: tuple[Change, ...]
    steps: tuple[str, ...]


class Plan(NamedTuple):
    """Everything that a migration will do."""

    steps: tuple[Step, ...]
    entries: tuple[Entry, ...]
    files: tuple[FilePlan, ...]

    @property
    def manual(self) -> tuple[Step, ...]:
        """The steps that are left to a person."""
        return tuple(step for step in self.steps if step.grade == MANUAL)


def manual_step(place: Place, reason: str, advice: str) -> Step:
    """Make a step for a person."""
    return Step(place.id, place.path, place.line, place.rule, "", "", "", MANUAL, reason, advice, place)


def outermost(places: Iterable[Place]) -> list[Place]:
    """Drop places inside of others: two rules may find the same secret, or a password inside of its URL."""
    kept: list[Place] = []
    for place in sorted(places, key=lambda item: (item.start, -item.end, item.rule)):
        if not kept or place.start >= kept[-1].end:
            kept.append(place)
    return kept


def units(plan: Plan) -> list[tuple[tuple[Entry, ...], tuple[FilePlan, ...]]]:
    """Part the plan into what must happen together: secrets that share files, and files that share secrets."""
    owner: dict[str, str] = {}

    def root(node: str) -> str:
        while owner.setdefault(node, node) != node:
            owner[node] = owner[owner[node]]
            node = owner[node]
        return node

    file_of = {step: file.path for file in plan.files for step in file.steps}
    for entry in plan.entries:
        for step in entry.steps:
            owner[root("file " + file_of[step])] = root(_stored_as(entry))
    parts: dict[str, tuple[list[Entry], list[FilePlan]]] = {}
    for entry in plan.entries:
        parts.setdefault(root(_stored_as(entry)), ([], []))[0].append(entry)
    for file in plan.files:
        parts.setdefault(root("file " + file.path), ([], []))[1].append(file)
    return [(tuple(entries), tuple(files)) for entries, files in parts.values()]


def _stored_as(entry: Entry) -> str:
    return "entry " + entry.name.partition("#")[0]
