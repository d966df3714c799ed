"""What we keep in a variable's annotations: owner, labels, due date, and of each stage its token and dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hygiene.reference import Reference
from hygiene.store.protocol import CURRENT, PENDING, PREVIOUS, StoredSecret, Version

OWNER_NOTE = "hygiene/owner"
DUE, _LABEL = "hygiene/due", "hygiene/label/"
STAGES = (CURRENT, PENDING, PREVIOUS)


class Note(NamedTuple):
    """What is noted of one version."""

    token: str
    created: datetime
    expires: datetime | None


class Variable(NamedTuple):
    """A variable, and what its annotations say."""

    created: datetime
    notes: Mapping[str, str]
    has_value: bool

    @property
    def owner(self) -> str:
        """Who keeps the secret."""
        return self.notes.get(OWNER_NOTE) or self.notes.get("managed-by") or "unknown"

    def stage(self, stage: str) -> Note | None:
        """Give what is noted of the version that carries ``stage``."""
        parts = self.notes.get(f"hygiene/{stage}", "").split()
        created = _moment(parts[1]) if len(parts) == 3 else None
        return Note(parts[0], created, _moment(parts[2])) if created else None

    def current(self) -> Note | None:
        """The current version; one that something else wrote is called ``current``."""
        return self.stage(CURRENT) or (Note(CURRENT, self.created, None) if self.has_value else None)


def told_secret(name: str, reference: Reference, told: Variable) -> StoredSecret:
    """Give the store-neutral description."""
    noted = {CURRENT: told.current(), PENDING: told.stage(PENDING), PREVIOUS: told.stage(PREVIOUS)}
    versions = [
        Version(note.token, note.created, frozenset({stage}), note.expires) for stage, note in noted.items() if note
    ]
    current = noted[CURRENT]
    labels = [(key.removeprefix(_LABEL), value) for key, value in told.notes.items() if key.startswith(_LABEL)]
    return StoredSecret(
        name=name,
        reference=reference,
        owner=told.owner,
        versions=tuple(sorted(versions, key=lambda version: version.created, reverse=True)),
        created=told.created,
        expires=current.expires if current else None,
        due=_moment(told.notes.get(DUE, "")),
        labels=tuple(sorted(labels)),
    )


def variable_from(resource: Mapping[str, Any]) -> Variable:
    """Read what Conjur tells of a variable."""
    notes = {str(note["name"]): str(note.get("value", "")) for note in resource.get("annotations", [])}
    created = _moment(str(resource.get("created_at", ""))) or datetime.fromtimestamp(0, UTC)
    return Variable(created, notes, bool(resource.get("secrets")))


def id_at(told: Variable, stage: str) -> str | None:
    """Give the id of the version that carries ``stage``."""
    note = told.current() if stage == CURRENT else told.stage(stage)
    return note.token if note else None


def suffix(stage: str) -> str:
    """Give what the name of the variable that holds ``stage`` ends in."""
    return "" if stage == CURRENT else f"@{stage}"


def label_notes(labels: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Give the annotations that say ``labels``."""
    return {_LABEL + key: value for key, value in labels}


def note_text(note: Note) -> str:
    """Give the annotation that says ``note``."""
    return f"{note.token} {note.created.isoformat()} {note.expires.isoformat() if note.expires else '-'}"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
