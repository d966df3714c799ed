"""The journal that every changing job resumes from: what it is about to do, and what it has done.

One JSON object a line, synced before the act that it announces. A journal never holds a value: jobs write
references, hashes and names, or values sealed to the user's identity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hygiene.errors import JournalError
from hygiene.fileio import append_durable, make_private_folder, sync_folder

FORMAT = 1


class Journal:
    """An append-only record of one job."""

    def __init__(self, path: Path, entries: list[dict[str, Any]]) -> None:
        """Use :meth:`create` or :meth:`open`."""
        self.path = path
        self._entries = entries

    @classmethod
    def create(cls, path: Path, job: str, **facts: Any) -> Journal:
        """Start a journal for ``job``; raises :class:`JournalError` when one is unfinished at ``path``."""
        make_private_folder(path.parent)
        if path.exists() and path.stat().st_size:
            raise JournalError(
                f"an unfinished {job} is recorded in {path}",
                hint="finish it with --resume, or undo it with --rollback (or --abort)",
            )
        journal = cls(path, [])
        journal.record("begin", job=job, format=FORMAT, **facts)
        return journal

    @classmethod
    def open(cls, path: Path, job: str) -> Journal | None:
        """Read the unfinished journal of ``job``, or None where there is none.

        A last line that a crash tore is cut off: what it announced was not begun. Raises
        :class:`JournalError` for a journal of another job, a later format, or a damaged one.
        """
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error
        whole, _, torn = raw.rpartition(b"\n")
        if torn:
            with path.open("r+b") as stream:
                stream.truncate(len(raw) - len(torn))
        entries = [_parse(path, number, line) for number, line in enumerate(whole.splitlines(), 1)]
        if not entries:
            path.unlink()
            return None
        first = entries[0]
        if first.get("event") != "begin" or first.get("job") != job or first.get("format") != FORMAT:
            raise JournalError(f"{path} is not a journal of {job} that this version can read")
        return cls(path, entries)

    def record(self, event: str, **facts: Any) -> None:
        """Append an entry and sync it; raises :class:`hygiene.errors.WriteError` when that fails."""
        entry = {"event": event, **facts}
        append_durable(self.path, json.dumps(entry, sort_keys=True, ensure_ascii=True).encode() + b"\n")
        self._entries.append(entry)

    def entries(self, event: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Give the entries in order, or only those of one ``event``."""
        return (entry for entry in tuple(self._entries) if event is None or entry["event"] == event)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the job was started with."""
        return self._entries[0]

    def finish(self) -> None:
        """Remove the journal: its job is done."""
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise JournalError(f"{path}, line {number}, is damaged", hint="undo the job by hand") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("event"), str):
        raise JournalError(f"{path}, line {number}, is not a journal entry")
    return entry
