"""What we keep in a secret's ``custom_metadata``: owner, labels, due date, and of each version its token and expiry.

Readers of the data see it, so nothing here depends on a value. 64 pairs of 512 bytes at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hygiene.errors import StoreError
from hygiene.store.protocol import CURRENT, OWNER, PENDING, PREVIOUS, Version

OWNER_KEY = "hygiene_owner"
_DUE = "hygiene_due"
_PREVIOUS = "hygiene_previous"
_PENDING = "hygiene_pending"
_DELETED = "hygiene_deleted"
_VERSION = "hygiene_v"
_LABEL = "label_"
_MOST_VERSIONS = 30
_MOST_LABELS = 20


class Note(NamedTuple):
    """What is noted of one version."""

    token: str
    form: str
    created: datetime
    expires: datetime | None

    def text(self) -> str:
        """Give the text of the note."""
        return f"{self.token} {_text(self.created)} {_text(self.expires)} {self.form}"


class Number(NamedTuple):
    """What the server says of one version."""

    created: datetime
    deleted: datetime | None
    destroyed: bool


class Meta(NamedTuple):
    """The metadata of one secret."""

    current: int  # the newest version's number, 0 before the first
    numbers: Mapping[int, Number]
    custom: Mapping[str, str]
    created: datetime

    @property
    def owner(self) -> str:
        """Who keeps the secret."""
        return self.custom.get(OWNER_KEY) or self.custom.get("managed-by") or "unknown"

    @property
    def due(self) -> datetime | None:
        """When rotation is due."""
        return _moment(self.custom.get(_DUE, ""))

    @property
    def deleted(self) -> datetime | None:
        """When the newest version was deleted."""
        newest = self.numbers.get(self.current)
        if newest is None or newest.deleted is None or newest.deleted > datetime.now(UTC):
            return None
        return newest.deleted

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """What is known of the secret."""
        found = [(k.removeprefix(_LABEL), v) for k, v in self.custom.items() if k.startswith(_LABEL)]
        return tuple(sorted(found))

    @property
    def pending(self) -> Note | None:
        """The pending version, which lies beside."""
        return _note(self.custom.get(_PENDING, ""))

    def note(self, number: int) -> Note | None:
        """What we noted of version ``number``; None where something else wrote it."""
        return _note(self.custom.get(f"{_VERSION}{number}", ""))

    def id(self, number: int) -> str:
        """Give the id of version ``number``: its token, or the number where something else wrote it."""
        note = self.note(number)
        return note.token if note else str(number)

    def number(self, id: str) -> int | None:
        """Give the newest number of the version called ``id`` that still has a value."""
        live = (n for n in sorted(self.numbers, reverse=True) if not self.numbers[n].destroyed)
        return next((n for n in live if self.id(n) == id), None)

    def previous(self) -> int | None:
        """Give the number of the version that was current before."""
        text = self.custom.get(_PREVIOUS, "")
        if not text.isdecimal() or int(text) not in self.numbers or self.numbers[int(text)].destroyed:
            return None
        return int(text)

    def restorable(self) -> list[int]:
        """Give the versions that were live when the secret was deleted."""
        return [int(part) for part in self.custom.get(_DELETED, "").split(",") if part.isdecimal()]

    def versions(self) -> tuple[Version, ...]:
        """Tell the versions, newest first, each id once."""
        told: dict[str, Version] = {}
        pending = self.pending
        if pending is not None:
            told[pending.token] = Version(pending.token, pending.created, frozenset({PENDING}), pending.expires)
        for number in sorted(self.numbers, reverse=True):
            if not self.numbers[number].destroyed:
                told.setdefault(self.id(number), self._told(number))
        return tuple(sorted(told.values(), key=lambda version: version.created, reverse=True))

    def _told(self, number: int) -> Version:
        note = self.note(number)
        stages = {CURRENT} if number == self.current else {PREVIOUS} if number == self.previous() else set()
        created = self.numbers[number].created
        return Version(self.id(number), created, frozenset(stages), note.expires if note else None)


def parse_meta(answer: Mapping[str, Any]) -> Meta:
    """Read the server's answer about the metadata of a secret."""
    data = answer["data"]
    numbers = {
        int(number): Number(
            _required(told["created_time"]), _server_time(told.get("deletion_time", "")), bool(told.get("destroyed"))
        )
        for number, told in (data.get("versions") or {}).items()
    }
    return Meta(
        int(data.get("current_version") or 0),
        numbers,
        dict(data.get("custom_metadata") or {}),
        _required(data["created_time"]),
    )


def ownership(labels: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """Give the pairs that make a secret ours and say its ``labels``; raises StoreError for ones that don't fit."""
    pairs = {_LABEL + key: value for key, value in labels}
    if len(pairs) > _MOST_LABELS or any(len(k.encode()) > 128 or len(v.encode()) > 512 for k, v in pairs.items()):
        raise StoreError("the labels are too many or too long for custom_metadata", hint="20 of 512 bytes at most")
    return {OWNER_KEY: OWNER, **pairs}


def version_written(meta: Meta, number: int, note: Note) -> dict[str, str | None]:
    """Give the changes that name version ``number``, now current, and forget the dates of long gone ones."""
    changes: dict[str, str | None] = {f"{_VERSION}{number}": note.text(), _DUE: None}
    if meta.current and meta.current != number:
        changes[_PREVIOUS] = str(meta.current)
    known = [int(k.removeprefix(_VERSION)) for k in meta.custom if k.removeprefix(_VERSION).isdecimal()]
    for old in sorted(known, reverse=True)[_MOST_VERSIONS:]:
        changes[f"{_VERSION}{old}"] = None
    return changes


def version_dated(meta: Meta, expires: datetime | None) -> dict[str, str | None]:
    """Give the change that dates the current version."""
    created = meta.numbers[meta.current].created
    note = meta.note(meta.current) or Note(str(meta.current), "", created, None)
    return {f"{_VERSION}{meta.current}": note._replace(expires=expires).text()}


def pending_noted(note: Note | None) -> dict[str, str | None]:
    """Give the change that names the pending version, or none."""
    return {_PENDING: note.text() if note else None}


def previous_forgotten() -> dict[str, str | None]:
    """Give the change that takes the stage off the previous version."""
    return {_PREVIOUS: None}


def due_noted(at: datetime | None) -> dict[str, str | None]:
    """Give the change of the due date."""
    return {_DUE: _text(at) if at else None}


def deletion_noted(meta: Meta) -> dict[str, str | None]:
    """Give the change that remembers which versions a restore brings back."""
    live = [n for n, told in meta.numbers.items() if not told.destroyed and told.deleted is None]
    return {_DELETED: ",".join(map(str, live))}


def _note(text: str) -> Note | None:
    parts = text.split(" ", 3)
    if len(parts) != 4:
        return None
    created = _moment(parts[1])
    return Note(parts[0], parts[3], created, _moment(parts[2])) if created else None


def _text(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else "-"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _server_time(text: str) -> datetime | None:
    return _required(text) if text else None


def _required(text: str) -> datetime:
    # Nanoseconds are cut by the parser; a zone is always there.
    return datetime.fromisoformat(text).astimezone(UTC)
