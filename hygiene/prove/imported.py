"""Where the imported audit files of other systems are kept: apart from our chain, one file an import."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from hygiene.errors import AuditError
from hygiene.fileio import create_exclusive, make_private_folder
from hygiene.prove.event import OK, Recorder
from hygiene.prove.foreign import ForeignEvent, event_object, parse_foreign

_FOLDER = "imported"


def import_audit(folder: Path, recorder: Recorder, content: bytes, kind: str = "auto") -> tuple[str, int, bool]:
    """Keep the events of another system's audit file; gives its kind, their number, and whether they are new.

    Our own log records the import with the file's hash, and no word of what the file says. The same file twice is
    kept once. Raises UsageError, SourceError and AuditError.
    """
    digest = hashlib.sha256(content).hexdigest()
    kind, events = parse_foreign(content, kind)
    path = make_private_folder(folder / _FOLDER) / f"{kind}-{digest[:16]}.jsonl"
    if path.exists():
        return kind, len(events), False
    recorder.record("audit.import", kind, OK, sha256=digest, events=str(len(events)))
    lines = [json.dumps(event_object(event, digest), sort_keys=True) + "\n" for event in events]
    return kind, len(events), create_exclusive(path, "".join(lines).encode())


def imported_events(folder: Path) -> Iterator[ForeignEvent]:
    """Give all imported events in the order of their times. Raises AuditError for a damaged file."""
    found = []
    for path in sorted((folder / _FOLDER).glob("*.jsonl")):
        try:
            for line in path.read_text().splitlines():
                fields = json.loads(line)
                del fields["file"]
                found.append(ForeignEvent(**fields))
        except (OSError, ValueError, KeyError, TypeError) as error:
            hint = "remove it, and import the original again"
            raise AuditError(f"{path} is not an imported audit file", hint=hint) from error
    return iter(sorted(found, key=lambda event: (event.time, event.id)))
