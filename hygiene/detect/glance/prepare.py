"""Leaves ready what the next glance needs. Runs after an ordinary scan, so with all imports at hand."""

from __future__ import annotations

import contextlib
import marshal
import sys
from collections.abc import Sequence
from pathlib import Path

from hygiene.detect import kept
from hygiene.detect.glance.ready import GENERIC, HEX, HINT, RULE, kept_name, read_kept, ready_key, ready_name, state_of
from hygiene.detect.match import HINT as ENCODED
from hygiene.detect.match import Pattern, first_hint
from hygiene.detect.registry import Used
from hygiene.detect.rulecache import prune
from hygiene.errors import WriteError
from hygiene.fileio import is_private, write_atomic

_HEX = ENCODED + "hex"


def prepare(cache: Path, root: Path, used: Used, least: str) -> None:
    """Leave ready what a glance at ``root`` needs; a file that can't be written is no failure.

    ``used``: the rules of the scan that has just ended; ``least``: the confidence from which findings count.
    """
    engine = sys.modules.get("hyperscan._hs_ext")
    if engine is None or not engine.__file__ or not used.database_size:
        return
    with contextlib.suppress(OSError, WriteError):
        key = ready_key(str(root))
        if not (is_private(cache) and is_private(used.path)):
            return
        watched = (*used.states, state_of(engine.__file__))
        rules = state_of(str(used.path))
        content = (key, watched, engine.__file__, rules, used.database_size, _kinds(used.patterns), least)
        _write(cache / ready_name(key), marshal.dumps(content))


def use_values(cache: Path) -> None:
    """Use the values that earlier runs took long to make; those of a damaged file are made again."""
    with contextlib.suppress(EOFError, ValueError, TypeError):
        kept.keep(read_kept(str(cache)))


def store_values(cache: Path) -> None:
    """Keep for the next run what this one took long to make; a file that can't be written is no failure."""
    if kept.missing and is_private(cache):
        with contextlib.suppress(WriteError):
            write_atomic(cache / kept_name(), kept.collected(), mode=0o600)


def _write(path: Path, content: bytes) -> None:
    if not (is_private(path) and path.read_bytes() == content):
        write_atomic(path, content, mode=0o600)
        prune(path.parent, "ready")


def _kinds(patterns: Sequence[Pattern]) -> bytes:
    hint = first_hint(patterns)
    rules = (GENERIC if pattern.generic else RULE for pattern in patterns[:hint])
    return bytes((*rules, *(HEX if pattern.id == _HEX else HINT for pattern in patterns[hint:])))
