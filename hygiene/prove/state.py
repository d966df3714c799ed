"""What the writer of a chain keeps beside it: the head, the MAC key of the next entry, and how far the file is good.

One record of fixed size, overwritten in place under the log's lock and not synced: after a power cut it may be
older than the log, never newer, and the log itself tells the rest. Overwriting it is what erases the used keys; while
a value is read, that of the intent stays until the outcome is written.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from hygiene.errors import AuditError
from hygiene.fileio import PRIVATE_FILE, create_exclusive
from hygiene.prove.chain import Head

_RECORD_BYTES = 512  # one sector, so that it is written whole or not at all
SUFFIX = ".state"
CLOSED = ".closed"  # follows the suffix when the chain was ended: nothing may stand behind its head


class State(NamedTuple):
    """The head of a chain, and the place in its files that belongs to it."""

    head: Head
    segment: int  # number of the file that is written now, from 1
    size: int  # bytes of that file that are good


def create_state(path: Path, state: State) -> bool:
    """Keep ``state`` at ``path`` durably, unless there is one; says whether it did."""
    return create_exclusive(path, _format_state(state))


class Kept(NamedTuple):
    """What this process knows of the chain: while the file holds these bytes, nobody else has written since."""

    raw: bytes  # of the file
    state: State  # this one, or the one behind an entry of ours that is not synced


def read_state(path: Path, kept: Kept | None = None) -> State:
    """Read the state at ``path``, which may be the one that was ``kept``; AuditError for a damaged one."""
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - each entry reads it, and a Path costs more
            raw = stream.read()
        if kept is not None and raw == kept.raw:
            return kept.state
        fields = json.loads(raw)
        head = Head(**{**{name: fields[name] for name in Head._fields}, "key": bytes.fromhex(fields["key"])})
        return State(head, fields["segment"], fields["size"])
    except OSError as error:
        raise AuditError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError(
            f"the state of the audit log is damaged: {path}",
            hint="look at it with hygiene audit verify; hygiene audit restart begins a new chain and says so",
        ) from error


def write_state(path: Path, state: State) -> Kept:
    """Overwrite the state at ``path``, and give it as it stands there; raises OSError."""
    kept = Kept(_format_state(state), state)
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        os.pwrite(descriptor, kept.raw, 0)
    finally:
        os.close(descriptor)
    return kept


def _format_state(state: State) -> bytes:
    fields = {**state.head._asdict(), "key": state.head.key.hex(), "segment": state.segment, "size": state.size}
    return json.dumps(fields).encode().ljust(_RECORD_BYTES - 1) + b"\n"
