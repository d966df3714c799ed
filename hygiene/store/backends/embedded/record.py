"""A record: everything about a secret but its values, which lie beside it as age files.

Values apart from the record let a writer add a version without being able to read the others, and let
``list``, ``promote`` and ``expire`` work without opening a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hygiene.errors import IntegrityError
from hygiene.reference import Reference
from hygiene.store.protocol import CURRENT, PREVIOUS, StoredSecret, Version

KIND = "record"
MAX_VERSIONS = 100


class Entry(NamedTuple):
    """One version: where its value lies and who can open it."""

    id: str  # the token of the put that made it
    created: datetime
    stages: tuple[str, ...]
    digest: str  # SHA-256 of the age file, hex
    readers: tuple[str, ...]  # recipients that it was encrypted to, as the first 16 hex digits of their SHA-256
    check: str  # MAC of the value by its writer, so that the writer's retry is known without reading
    expires: datetime | None = None


class Record(NamedTuple):
    """What is known of a secret, as its writer signed it."""

    store: str  # the store's id: a record of another store is refused
    name: str
    serial: int  # grows by one a change, so that an older record is known as such
    owner: str
    created: datetime
    versions: tuple[Entry, ...] = ()  # newest first
    due: datetime | None = None
    deleted: datetime | None = None
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def gone(self) -> bool:
        """Whether it was deleted for good: only the serial goes on."""
        return not self.versions

    def entry(self, *, stage: str = "", id: str = "") -> Entry | None:
        """Give the version that carries ``stage``, or the one called ``id``."""
        for entry in self.versions:
            if (id and entry.id == id) or (stage and stage in entry.stages):
                return entry
        return None

    def with_stage(self, id: str, stage: str) -> Record:
        """Point ``stage`` at version ``id``; what was current becomes previous."""
        former = self.entry(stage=CURRENT)
        moved = []
        for entry in self.versions:
            stages = [s for s in entry.stages if s != stage]
            if stage == CURRENT and former is not None and former.id != id:
                stages = [s for s in stages if s != PREVIOUS]
                if entry.id == former.id:
                    stages.append(PREVIOUS)
            if entry.id == id:
                # A value in use is neither pending nor previous.
                stages = [stage] if stage == CURRENT else [*stages, stage]
            moved.append(entry._replace(stages=tuple(sorted(stages))))
        return self._replace(versions=tuple(moved), due=None if stage == CURRENT else self.due)

    def without_stage(self, stage: str) -> Record:
        """Take ``stage`` off every version."""
        kept = tuple(e._replace(stages=tuple(s for s in e.stages if s != stage)) for e in self.versions)
        return self._replace(versions=kept)

    def with_entry(self, entry: Entry) -> Record:
        """Add a version; the oldest ones without a stage are forgotten beyond 100."""
        versions = (entry, *self.versions)
        surplus = len(versions) - MAX_VERSIONS
        old = [e.id for e in reversed(versions[1:]) if not e.stages][: max(surplus, 0)]
        return self._replace(versions=tuple(e for e in versions if e.id not in old))

    def told(self, reference: Reference) -> StoredSecret:
        """Give the store-neutral description."""
        current = self.entry(stage=CURRENT)
        return StoredSecret(
            name=self.name,
            reference=reference,
            owner=self.owner,
            versions=tuple(version_of(entry) for entry in self.versions),
            created=self.created,
            expires=current.expires if current else None,
            due=self.due,
            deleted=self.deleted,
            labels=self.labels,
        )


def merged(base: Record, ours: Record, theirs: Record) -> Record:
    """Give the record that holds what both sides of a branch did to ``base``.

    The value that was made current later stays current, and the other's becomes previous; a change outweighs a
    deletion; the earlier due date holds.
    """
    if theirs == base:
        return ours
    if ours == base:
        return theirs
    entries = {entry.id: entry._replace(stages=()) for entry in _merged_entries(base, ours, theirs)}
    latest = max(ours, theirs, key=_current_since)
    other = theirs if latest is ours else ours
    stages = {entry.id: set(entry.stages) for entry in latest.versions}
    current, rival = latest.entry(stage=CURRENT), other.entry(stage=CURRENT)
    if current is not None and rival is not None and rival.id != current.id:
        for names in stages.values():
            names.discard(PREVIOUS)
        stages.setdefault(rival.id, set()).add(PREVIOUS)
    versions = [entry._replace(stages=tuple(sorted(stages.get(entry.id, ())))) for entry in entries.values()]
    if entries and not any(CURRENT in stages.get(id, ()) for id in entries):
        raise IntegrityError(
            f"one side made a value of {ours.name} current that the other side deleted for good",
            hint="decide yourself: check one side out, then hygiene secret put the value that is to be",
        )
    return latest._replace(
        serial=max(ours.serial, theirs.serial) + 1,
        versions=tuple(sorted(versions, key=lambda entry: entry.created, reverse=True)),
        due=min((due for due in (ours.due, theirs.due) if due), default=None),
        deleted=(ours.deleted or theirs.deleted) if not entries or (ours.deleted and theirs.deleted) else None,
        labels=tuple(sorted((dict(other.labels) | dict(latest.labels)).items())),
    )


def _merged_entries(base: Record, ours: Record, theirs: Record) -> Iterator[Entry]:
    """Give the versions whose files are there after git has merged the folder: a file that one side removed is gone."""
    former, mine, other = ({entry.id: entry for entry in side.versions} for side in (base, ours, theirs))
    for id in {**other, **mine}:
        sides = [side[id] for side in (mine, other) if id in side]
        known = former.get(id)
        if known is not None:
            changed = [entry for entry in sides if entry.digest != known.digest]
            if not changed and len(sides) == 1:
                continue
            expires = next((entry.expires for entry in sides if entry.expires != known.expires), known.expires)
            sides = [entry._replace(expires=expires) for entry in changed or sides]
        # Encrypted anew on both sides: to fewer, until the roles are applied again.
        yield min(sides, key=lambda entry: len(entry.readers))


def _current_since(record: Record) -> datetime:
    current = record.entry(stage=CURRENT)
    return current.created if current else record.created


def version_of(entry: Entry) -> Version:
    """Give the store-neutral description of a version."""
    return Version(entry.id, entry.created, frozenset(entry.stages), entry.expires)


def format_record(record: Record) -> dict[str, Any]:
    """Give the JSON form of ``record``, unsigned."""
    body = record._asdict()
    body["format"] = 1
    body["labels"] = dict(record.labels)
    for key in ("created", "due", "deleted"):
        body[key] = format_time(body[key])
    body["versions"] = [
        {**e._asdict(), "created": format_time(e.created), "expires": format_time(e.expires)} for e in record.versions
    ]
    return body


def parse_record(document: dict[str, Any], what: str) -> Record:
    """Read the JSON form; raises :class:`IntegrityError` naming ``what``."""
    try:
        return Record(
            store=str(document["store"]),
            name=str(document["name"]),
            serial=int(document["serial"]),
            owner=str(document["owner"]),
            created=_required_time(document["created"]),
            versions=tuple(_parse_entry(entry) for entry in document["versions"]),
            due=parse_time(document["due"]),
            deleted=parse_time(document["deleted"]),
            labels=tuple(sorted((str(k), str(v)) for k, v in document["labels"].items())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(f"{what} is damaged", hint="restore it from git or a backup") from error


def now() -> datetime:
    """Give the present moment to the millisecond, which is what a record can say."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def format_time(moment: datetime | None) -> str | None:
    """Give RFC 3339 in UTC with milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str | None) -> datetime | None:
    """Read what :func:`format_time` gave."""
    return None if text is None else _required_time(text)


def _required_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _parse_entry(entry: dict[str, Any]) -> Entry:
    return Entry(
        id=str(entry["id"]),
        created=_required_time(entry["created"]),
        stages=tuple(str(stage) for stage in entry["stages"]),
        digest=str(entry["digest"]),
        readers=tuple(str(reader) for reader in entry["readers"]),
        check=str(entry["check"]),
        expires=parse_time(entry["expires"]),
    )
