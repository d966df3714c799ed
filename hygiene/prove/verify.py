"""Verifies every chain of an audit folder against its own hashes and against the state that its writer keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hygiene.errors import AuditError, WriteError
from hygiene.fileio import locked
from hygiene.prove.anchor import is_authentic, place_of
from hygiene.prove.chain import Head
from hygiene.prove.checkpoint import Checkpoint, checkpoint_from_entry
from hygiene.prove.event import Actor, AuditEvent
from hygiene.prove.files import LOCK, SHORT_ID, chain_files
from hygiene.prove.sidebyside import verified_files
from hygiene.prove.state import CLOSED, SUFFIX, read_state
from hygiene.prove.verifier import Problem, Verifier


class Verdict(NamedTuple):
    """What is known of one chain after its verification."""

    log: str  # the log's id, or the short one that names its files
    entries: int
    first_time: str
    last_time: str
    hash: str  # of the last entry
    problems: tuple[Problem, ...]  # the first bad entry first
    unmatched: tuple[tuple[int, str, str, str], ...]  # intents without an outcome: seq, time, action, object
    macs: int  # entries whose MAC was checked
    epochs: tuple[int, ...]  # entries that changed the key
    clock_steps: tuple[int, ...]  # entries that say that the clock went back
    checkpoints: int
    signers: tuple[str, ...]  # public keys (base64) that signed checkpoints
    anchored: int  # the last entry that an anchor outside vouches for; 0 where there is none
    tail_confirmed: bool  # the writer's state says that this is the end


def verify_folder(
    folder: Path,
    keys: Mapping[str, Mapping[int, bytes]] | None = None,
    actor: Actor | None = None,
    anchors: Sequence[Checkpoint] = (),
    ref_place: str = "",
) -> list[Verdict]:
    """Verify all chains in ``folder``.

    ``anchors`` are those of the ref ``ref_place`` (see :mod:`hygiene.prove.anchor`): what the log says was anchored
    there must be among them. ``keys`` are verification keys: log id → number of an entry → its key. A chain that
    ``actor`` began in this very folder must have its state here. The lock is not taken at first: an entry that is
    being written appears as a tail beyond the state, which is checked by its MAC. What looks wrong is looked at
    again while no writer is at work.
    Raises :class:`AuditError` for what can't be read.
    """
    kept = _Anchors(anchors, ref_place)
    verdicts = _verify_chains(folder, keys or {}, actor, kept)
    lock = folder / LOCK
    if not any(verdict.problems for verdict in verdicts) or not lock.exists():
        return verdicts
    try:
        with locked(lock, exclusive=False):
            return _verify_chains(folder, keys or {}, actor, kept)
    except WriteError:  # a copy on a read-only medium: nobody writes there either
        return verdicts


class _Anchors(NamedTuple):
    all: Sequence[Checkpoint]
    ref_place: str


def _verify_chains(
    folder: Path, keys: Mapping[str, Mapping[int, bytes]], actor: Actor | None, anchors: _Anchors
) -> list[Verdict]:
    files = chain_files(folder)
    states = {path.name[:SHORT_ID]: path for path in sorted(folder.glob(f"*{SUFFIX}*"))}
    verdicts = []
    for log in sorted(files.keys() | states.keys() | _begun_here(anchors.all, actor, folder)):
        known = {seq: key for name, some in keys.items() if name.startswith(log) for seq, key in some.items()}
        outside = {anchor.seq: anchor.hash for anchor in anchors.all if anchor.log.startswith(log)}
        chain = _Chain(log, files.get(log, []), states.get(log), _origin(folder, actor))
        verdicts.append(_verify_chain(chain, known, outside, anchors.ref_place))
    return verdicts


class _Chain(NamedTuple):
    log: str
    files: list[Path]
    state: Path | None
    origin: Mapping[str, str]  # what the first entry says if the chain was begun here


def _verify_chain(chain: _Chain, keys: dict[int, bytes], anchors: dict[int, str], ref_place: str) -> Verdict:
    head, damage = _read_head(chain.state)
    if head is not None:
        # Nothing may follow a chain that was ended: no key fits what stands there.
        keys[head.seq + 1] = b"" if state_is_closed(chain.state) else head.key
    verifier = verified_files(chain.files, keys, head, anchors)
    if chain.state is None and _began_here(verifier.start, chain.origin):
        damage = "the state of this chain, which was begun here, is gone: its end can't be confirmed"
    if damage:
        verifier.problems.append(Problem("state", verifier.seq + 1, 0, damage))
    for event in verifier.checkpoints:
        if not is_authentic(checkpoint_from_entry(event)):
            text = f"entry {event.seq} is a checkpoint with a false signature"
            verifier.problems.append(Problem("signature", event.seq, 0, text))
    for event in verifier.anchorings:
        here = bool(ref_place) and event.detail.get("ref_place") == ref_place
        if here and event.detail.get("anchored", "") not in map(str, anchors):
            text = f"entry {event.detail.get('anchored')} was anchored here ({event.object}), and its anchor is gone"
            verifier.problems.append(Problem("anchor", event.seq, 0, text))
    return _verdict(chain.log, verifier, head is not None, max(anchors, default=0))


def _begun_here(anchors: Sequence[Checkpoint], actor: Actor | None, folder: Path) -> set[str]:
    """Name the anchored logs that belong into this folder: one that is gone must be noticed."""
    place = place_of(actor, folder) if actor else None
    return {anchor.log[:SHORT_ID] for anchor in anchors if anchor.place == place}


def _read_head(state: Path | None) -> tuple[Head | None, str]:
    if state is None:
        return None, ""
    try:
        return read_state(state).head, ""
    except AuditError as error:
        return None, error.message


def _origin(folder: Path, actor: Actor | None) -> Mapping[str, str]:
    return {"user": actor.user, "host": actor.host, "folder": str(folder.resolve())} if actor else {}


def _began_here(start: AuditEvent | None, origin: Mapping[str, str]) -> bool:
    if start is None or not origin:
        return False
    told = {**start.actor, **start.detail}
    return all(told.get(key) == value for key, value in origin.items())


def state_is_closed(state: Path | None) -> bool:
    """Say whether ``state`` belongs to a chain that was ended."""
    return state is not None and state.name.endswith(CLOSED)


def _verdict(log: str, verifier: Verifier, confirmed: bool, anchored: int) -> Verdict:
    return Verdict(
        log=verifier.log or log,
        entries=verifier.entries,
        first_time=verifier.first_time,
        last_time=verifier.time,
        hash=verifier.hash,
        problems=tuple(verifier.problems),
        unmatched=tuple((seq, *rest) for seq, rest in verifier.intents.items()),
        macs=verifier.macs,
        epochs=tuple(verifier.epochs),
        clock_steps=tuple(verifier.clock_steps),
        checkpoints=len(verifier.checkpoints),
        signers=tuple(sorted({event.detail.get("key", "") for event in verifier.checkpoints} - {""})),
        anchored=anchored,
        tail_confirmed=confirmed and not verifier.problems,
    )
