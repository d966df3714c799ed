"""The writer of the audit log: one durable line an entry, many processes in a queue, and no access without its entry.

The end of the log is known from the state beside it, so that an append does not read the log. What a crash left
between the two is read, checked with the log's key, and taken over; anything else is tampering and stops the work.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from heapq import merge
from hmac import compare_digest
from pathlib import Path

from hygiene import __version__
from hygiene.errors import AccessDeniedError, AuditError, WriteError
from hygiene.fileio import append, append_durable, locked, make_private_folder, refuse_shared, write_error
from hygiene.prove.actor import current_actor
from hygiene.prove.chain import (
    CHECKPOINT,
    EPOCH,
    START,
    Deed,
    Head,
    entry_after,
    entry_hash,
    entry_mac,
    next_key,
    parse_entry,
    unsealed,
)
from hygiene.prove.checkpoint import Signer, find_signer, signed_detail
from hygiene.prove.event import DENIED, FAILED, INTENT, OK, Actor, AuditEvent
from hygiene.prove.files import LOCK, SHORT_ID, chain_files, chain_lines, segment_path
from hygiene.prove.redact import Redactor
from hygiene.prove.state import CLOSED, SUFFIX, Kept, State, create_state, read_state, write_state

SEGMENT_BYTES = 64 * 2**20  # a file that is larger is followed by a new one
CHECKPOINT_EVERY = 1000  # entries
_ENTRY_AT_MOST = 2**18  # bytes, with room: fields are cut to 2 KiB by the redactor
_TAMPERED = "hygiene audit verify says more; hygiene audit restart --reason … begins a new chain and records that"


def open_log(folder: Path, actor: Actor | None = None) -> Log:
    """Open the audit log in ``folder``; it is made at the first entry. ``actor`` defaults to who runs this."""
    return Log(folder, actor or current_actor(), signer=find_signer)


def latest_time(folder: Path) -> datetime | None:
    """Give the latest time that this writer's chain in ``folder`` has seen, or None where it can't be told."""
    try:
        states = sorted(folder.glob("*" + SUFFIX))
        return datetime.fromisoformat(read_state(states[0]).head.time) if len(states) == 1 else None
    except (AuditError, ValueError):
        return None


def _nobody() -> None:
    """Sign nothing."""


class Log:
    """A :class:`hygiene.prove.event.Recorder` over the chains of one folder; writes the one of this writer."""

    def __init__(
        self,
        folder: Path,
        actor: Actor,
        segment_bytes: int = SEGMENT_BYTES,
        checkpoint_every: int = CHECKPOINT_EVERY,
        signer: Callable[[], Signer | None] = _nobody,
    ) -> None:
        """Record in ``folder`` in the name of ``actor``.

        A checkpoint follows after ``checkpoint_every`` entries and in each new file; ``signer`` finds what signs it.
        """
        self.folder = folder
        self.redactor = Redactor()
        self._actor = {key: self.redactor.clean(value) for key, value in actor._asdict().items() if value}
        self._segment_bytes = segment_bytes
        self._checkpoint_every = checkpoint_every
        self._signer = signer
        self._state: Path | None = None  # of the chain that is written, once it is known
        self._kept: Kept | None = None  # as this process wrote it last

    def record(self, action: str, object: str, outcome: str, **detail: str) -> AuditEvent:
        """Append one entry durably; raises :class:`AuditError` when that fails."""
        return self._write(lambda _: Deed(action, object, outcome, detail))

    @contextmanager
    def access(self, action: str, object: str, **detail: str) -> Iterator[MutableMapping[str, str]]:
        """Record the intent on entry and the outcome on exit; see :class:`hygiene.prove.event.Recorder`."""
        with self._witnessed(self.record(action, object, INTENT, **detail)) as result:
            yield result

    @contextmanager
    def reading(self, action: str, object: str, **detail: str) -> Iterator[MutableMapping[str, str]]:
        """Record as :meth:`access`, with one sync for both entries: a power cut takes the intent with the reader."""
        with self._witnessed(self._write(lambda _: Deed(action, object, INTENT, detail), durable=False)) as result:
            yield result

    @contextmanager
    def _witnessed(self, intent: AuditEvent) -> Iterator[MutableMapping[str, str]]:
        result: dict[str, str] = {}
        try:
            yield result
        except BaseException as error:
            outcome = DENIED if isinstance(error, AccessDeniedError) else FAILED
            # The class and not the message: a message may quote what it should not.
            self._outcome(intent, outcome, {**result, "error": type(error).__name__})
            raise
        self._outcome(intent, OK, result)

    def _outcome(self, intent: AuditEvent, outcome: str, detail: Mapping[str, str]) -> None:
        """Record how an access ended; where that fails, the error must not say that nothing was done."""
        try:
            self.record(intent.action, intent.object, outcome, **{**detail, "intent": str(intent.seq)})
        except AuditError as error:
            ended = "was done" if outcome == OK else f"ended as {outcome}"
            raise AuditError(
                f"{intent.action} of {intent.object} {ended}, but the audit log can't take that up: its entry "
                f"{intent.seq} announces it and stays without an outcome ({error.message})",
                hint=error.hint,
            ) from error

    def checkpoint(self, signer: Signer | None = None) -> AuditEvent:
        """Append a checkpoint of the entry before it, signed where there is a ``signer``."""
        return self._write(lambda head: _checkpoint(head, signer))

    def begin_epoch(self) -> str:
        """Change the MAC key to a new random one, and give the verification key of all that follows.

        It is kept nowhere: the caller shows it once, to who will verify. ``LOG:SEQ:KEY``, the key in hex.
        """
        key = secrets.token_bytes(32)
        commitment = sha256(key).hexdigest()
        event = self._write(lambda head: Deed(EPOCH, head.log, OK, {"commitment": commitment}), key)
        return f"{event.log}:{event.seq + 1}:{key.hex()}"

    def restart(self, reason: str) -> AuditEvent:
        """End the chain as it is, sound or not, and begin a new one that says where the old one ended and why."""
        try:
            make_private_folder(self.folder)
            with locked(self.folder / LOCK):
                detail = {"reason": reason}
                for path in sorted(self.folder.glob("*" + SUFFIX)):
                    detail |= _end_of(path)
                    path.rename(path.with_name(path.name + CLOSED))
                path, state = self._start_chain(**detail)
        except OSError as error:
            raise _refusal(write_error(self.folder, error)) from error
        except WriteError as error:
            raise _refusal(error) from error
        return next(event for event in self.events() if (event.log, event.seq) == (state.head.log[:SHORT_ID], 1))

    def events(self) -> Iterator[AuditEvent]:
        """Give the entries of every chain in the order of their times; raises :class:`AuditError` for a broken line."""
        chains = [_events(log, files) for log, files in chain_files(self.folder).items()]
        return merge(*chains, key=lambda event: event.time)

    def _write(self, deed: Callable[[Head], Deed], key: bytes | None = None, *, durable: bool = True) -> AuditEvent:
        try:
            if self._state is None:
                for folder in (make_private_folder(self.folder), self.folder.parent):
                    refuse_shared(folder)
            with locked(self.folder / LOCK):
                path, state = self._open_chain()
                return self._append(path, state, deed(state.head), key, durable=durable)
        except WriteError as error:
            raise _refusal(error) from error

    def _open_chain(self) -> tuple[Path, State]:
        if self._state is not None and self._state.exists():
            return self._state, self._caught_up(self._state, read_state(self._state, self._kept))
        states = sorted(self.folder.glob("*" + SUFFIX))
        if len(states) > 1:
            raise AuditError(f"{self.folder} holds the state of {len(states)} chains", hint=_TAMPERED)
        if states:
            self._state = states[0]
            return states[0], self._caught_up(states[0], read_state(states[0]))
        return self._start_chain()

    def _start_chain(self, **detail: str) -> tuple[Path, State]:
        log = secrets.token_hex(32)
        state = State(Head(log, 0, log, "", "", secrets.token_bytes(32)), 1, 0)
        path = segment_path(self.folder, log, 1).with_suffix("").with_suffix(SUFFIX)
        create_state(path, state)
        self._append(
            path, state, Deed(START, log, OK, {"version": __version__, "folder": str(self.folder.resolve()), **detail})
        )
        return path, read_state(path)

    def _append(
        self, path: Path, state: State, deed: Deed, key: bytes | None = None, *, durable: bool = True
    ) -> AuditEvent:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if now < state.head.time:
            deed = deed._replace(detail={**deed.detail, "clock_back": state.head.time})
        line, event, head = entry_after(state.head, self._cleaned(deed), time=now, actor=self._actor)
        head = head._replace(key=key or head.key)
        segment, size = state.segment, state.size
        if size and size + len(line) > self._segment_bytes:
            segment, size = segment + 1, 0
        file, after = segment_path(self.folder, head.log, segment), State(head, segment, size + len(line) + 1)
        due = event.seq % self._checkpoint_every == 0 or segment != state.segment
        if not durable and not due and self._kept is not None and self._kept.state is state:
            append(file, line + b"\n")
            # The state on disk must never be newer than the log on disk: it stays, and is written with what follows.
            self._kept = Kept(self._kept.raw, after)
            return event
        append_durable(file, line + b"\n")
        try:
            self._kept = write_state(path, after)
        except OSError as error:
            raise _refusal(write_error(path, error)) from error
        if due and deed.action != CHECKPOINT:
            self._append(path, after, _checkpoint(head, self._signer()))
        return event

    def _cleaned(self, deed: Deed) -> Deed:
        clean = self.redactor.clean
        detail = {key: clean(str(value)) for key, value in deed.detail.items()}
        return Deed(clean(deed.action), clean(deed.object), deed.outcome, detail)

    def _caught_up(self, path: Path, state: State) -> State:
        """Take over what a crash left behind the state; raises :class:`AuditError` where the log was changed."""
        current = segment_path(self.folder, state.head.log, state.segment)
        try:
            size = current.stat().st_size if state.size or current.exists() else 0
        except OSError as error:
            raise AuditError(f"the audit log is gone: {current}", hint=_TAMPERED) from error
        if size < state.size:
            raise AuditError(f"the audit log was cut: {current}", hint=_TAMPERED)
        may_follow = state.size + _ENTRY_AT_MOST > self._segment_bytes
        following = segment_path(self.folder, state.head.log, state.segment + 1)
        if size == state.size and not (may_follow and following.exists()):
            return state
        state = _read_on(current, state)
        while following.exists():
            state = _read_on(following, State(state.head, state.segment + 1, 0))
            following = segment_path(self.folder, state.head.log, state.segment + 1)
        write_state(path, state)
        return state


def _checkpoint(head: Head, signer: Signer | None) -> Deed:
    return Deed(CHECKPOINT, head.log, OK, signed_detail(signer, head.log, head.seq, head.hash))


def _refusal(error: WriteError) -> AuditError:
    return AuditError(f"the audit log can't be written, so nothing is done: {error.message}", hint=error.hint)


def _end_of(path: Path) -> dict[str, str]:
    try:
        head = read_state(path).head
    except AuditError:
        return {"after": path.name.removesuffix(SUFFIX), "after_state": "damaged"}
    return {"after": head.log, "after_seq": str(head.seq), "after_hash": head.hash}


def _read_on(path: Path, state: State) -> State:
    """Follow the log from ``state`` to its end, cutting a torn last line: what it announced was not begun."""
    with path.open("r+b") as stream:
        stream.seek(state.size)
        rest = stream.read()
        whole, _, torn = rest.rpartition(b"\n")
        if torn:
            stream.truncate(state.size + len(rest) - len(torn))
        os.fsync(stream.fileno())  # what a reader left unsynced: the state that follows must not be newer
    head = state.head
    for line in whole.split(b"\n") if whole else ():
        head = _follow(path, head, line)
    return State(head, state.segment, state.size + len(rest) - len(torn))


def _follow(path: Path, head: Head, line: bytes) -> Head:
    try:
        event = parse_entry(line)
        intact = entry_hash(unsealed(line, event.hash, event.mac), event.prev) == event.hash
        ours = intact and compare_digest(entry_mac(head.key, event.hash), event.mac)
    except ValueError:
        ours = False
    if not ours or (event.prev, event.prev_mac, event.seq) != (head.hash, head.mac, head.seq + 1):
        raise AuditError(f"{path} holds what hygiene did not write, after entry {head.seq}", hint=_TAMPERED)
    return Head(head.log, event.seq, event.hash, event.mac, max(event.time, head.time), next_key(head.key))


def _events(log: str, files: list[Path]) -> Iterator[AuditEvent]:
    for number, (line, whole) in enumerate(chain_lines(files), 1):
        if not whole:
            return  # being written, or torn by a crash: what it announces was not begun
        try:
            yield parse_entry(line, log)
        except ValueError as error:
            problem = f"entry {number} of the audit log {log} is not readable"
            raise AuditError(problem, hint="hygiene audit verify names what is wrong") from error
