"""Verifies the files of a chain side by side: each from where the one before says that it ends.

What a file says of its end is believed only until the process that verifies it comes to the same end. Where anything
is wrong or does not fit, the whole chain is verified once more in one go, which names what is wrong and where.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from copy import copy
from pathlib import Path

from hygiene.errors import AuditError
from hygiene.prove.chain import Head, parse_entry
from hygiene.prove.files import chain_lines
from hygiene.prove.verifier import Verifier

_WORTH_A_PROCESS = 16 * 2**20  # bytes that take longer to verify than processes to start
_LINE_AT_MOST = 2**18


def verified_files(
    files: list[Path], keys: Mapping[int, bytes], head: Head | None, anchors: Mapping[int, str]
) -> Verifier:
    """Verify the chain in ``files``; what to hold it against is told to :class:`Verifier`. It is finished already."""
    verifier = _side_by_side(files, keys, head, anchors) if _is_worth_it(files, keys, head) else None
    if verifier is None:
        verifier = _fed(Verifier(keys, head, anchors), files)
    verifier.finish()
    return verifier


def _is_worth_it(files: list[Path], keys: Mapping[int, bytes], head: Head | None) -> bool:
    # The key of an entry in the middle comes from the keys before it: those can only be gone through in one go.
    only_the_end = all(head is not None and seq > head.seq for seq in keys)
    try:
        size = sum(path.stat().st_size for path in files)
    except OSError:
        return False
    return only_the_end and len(files) > 1 and size > _WORTH_A_PROCESS and _processors() > 1


def _side_by_side(
    files: list[Path], keys: Mapping[int, bytes], head: Head | None, anchors: Mapping[int, str]
) -> Verifier | None:
    """Give what one verifier would have found, or None where there is something to look at in order."""
    try:
        log = _first_prev(files[0])
        begun = [Verifier(keys, head, anchors, _end(path, log)) for path in files[:-1]]
        begun.insert(0, Verifier(keys, head, anchors))
        workers = min(_processors(), len(files))
        with ProcessPoolExecutor(workers, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_DFL)) as pool:
            done = list(pool.map(_fed, begun, ([path] for path in files)))
    except (ValueError, OSError, AuditError, BrokenProcessPool):
        return None
    return _joined(begun, done)


def _joined(begun: list[Verifier], done: list[Verifier]) -> Verifier | None:
    fits = all(later.follows(former) for later, former in zip(begun[1:], done, strict=False))
    if not fits or done[-1].problems:
        return None
    result = copy(done[-1])
    for former in reversed(done[:-1]):
        result.join(former)
    return result


def _fed(verifier: Verifier, files: Iterable[Path]) -> Verifier:
    for line, whole in chain_lines(list(files)):
        if not whole:
            verifier.torn()
            break
        verifier.feed(line)
    return verifier


def _first_prev(path: Path) -> str:
    """Give the log's id: what the first entry continues."""
    with path.open("rb") as stream:
        return parse_entry(stream.readline(_LINE_AT_MOST).rstrip(b"\n")).prev


def _end(path: Path, log: str) -> Head:
    """Give the last entry of ``path`` as it claims to be; raises ValueError where there is none."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _LINE_AT_MOST))
        event = parse_entry(stream.read().rstrip(b"\n").rpartition(b"\n")[2])
    return Head(log, event.seq, event.hash, event.mac, event.time, b"")


def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
