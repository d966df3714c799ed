"""The compiled rules, kept in the user's cache folder, so that a run neither reads TOML nor compiles.

One file a rule set: a line that says what it was made from, a checksum, then the patterns (marshalled) and Hyperscan's
database. It is used only if this user owns it and nobody else may write it, and if every part of the line still holds:
our version, the engine, the interpreter, the CPU, and name, size and times of each rule file and of what reads them.
Anything else is rebuilt. Where each run has files of a new age, as in a pipeline, ``HYGIENE_CACHE_KEY=content`` puts
their content in the place of size and times.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from hygiene import __version__
from hygiene.detect.glance.ready import state_of
from hygiene.detect.match import Pattern
from hygiene.errors import WriteError
from hygiene.fileio import is_private, make_private_folder, write_atomic

_FORMAT = 2
_MAGIC = b"hygiene rules "
_HERE = Path(__file__).parent
MAKERS = tuple(_HERE / name for name in ("compile.py", "pattern.py", "rulefile.py", "encodings/prefilter.py"))
_KEPT = 16  # files of one kind, of other projects and versions; older ones go


class CompiledRules(NamedTuple):
    """Rules ready for an engine."""

    patterns: tuple[Pattern, ...]
    digest: str  # of all that went into the rules
    database: bytes  # Hyperscan's; empty for the engine that needs none


State = tuple[str, int, int, int, int]


def rule_states(files: Sequence[Path]) -> tuple[State, ...]:
    """Give the states of all that compiled rules are made from: ``files``, and our modules that read them."""
    return tuple(state_of(str(path)) for path in (*MAKERS, *files))


def maker_sums() -> tuple[tuple[str, int], ...]:
    """Give name and checksum of our modules that read rules, the same in every copy. Raises OSError."""
    return tuple((path.name, crc32(path.read_bytes())) for path in MAKERS)


def cache_key(states: Sequence[State | tuple[str, int]], settings: Sequence[str], engine: str) -> str:
    """Say in one line what compiled rules depend on: a change of any rule file or setting changes it."""
    parts = (__version__, _FORMAT, engine, sys.implementation.cache_tag, _cpu(), tuple(states), tuple(settings))
    return repr(parts)


def read_compiled(folder: Path, key: str) -> CompiledRules | None:
    """Read the compiled rules for ``key``, or None where there are none that can be trusted."""
    path = compiled_path(folder, key)
    if not (is_private(folder) and is_private(path)):
        return None
    try:
        content = path.read_bytes()
        key_end = content.index(b"\n")
        sum_end = content.index(b"\n", key_end + 1)
        body = memoryview(content)[sum_end + 1 :]  # some megabytes: a copy of them is felt at each commit
        if content[:key_end] != _MAGIC + key.encode("utf-8", "surrogateescape"):
            return None
        if int(content[key_end:sum_end]) != crc32(body):
            return None
        digest, rows, database = marshal.loads(body)  # noqa: S302 (this user's own file, checked above)
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return CompiledRules(tuple(Pattern(*row) for row in rows), digest, database)


def write_compiled(folder: Path, key: str, rules: CompiledRules) -> None:
    """Keep ``rules`` for the next run; a cache that can't be written is no failure."""
    body = marshal.dumps((rules.digest, [tuple(pattern) for pattern in rules.patterns], rules.database))
    content = b"%s%s\n%d\n%s" % (_MAGIC, key.encode("utf-8", "surrogateescape"), crc32(body), body)
    with contextlib.suppress(OSError, WriteError):
        make_private_folder(folder)
        if is_private(folder):
            write_atomic(compiled_path(folder, key), content, mode=0o600)
            prune(folder, "rules")


def compiled_path(folder: Path, key: str) -> Path:
    """Give the file that holds, or will hold, the compiled rules for ``key``; it ends with the database."""
    name = key.encode("utf-8", "surrogateescape")
    return folder / f"rules-{crc32(name):08x}{crc32(name[::-1]):08x}"


def prune(folder: Path, kind: str) -> None:
    """Keep the newest files of one ``kind`` (how their names begin) in ``folder``: those of other projects go."""
    files = sorted(folder.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_KEPT:]:
        path.unlink(missing_ok=True)


def _cpu() -> str:
    """Name what a database depends on: the machine's type and the CPU's abilities (the home may be shared)."""
    flags = b""
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open("rb") as stream:
        head = stream.read(4096)
        flags = next((line for line in head.splitlines() if line.startswith((b"flags", b"Features"))), b"")
    return f"{sys.platform} {os.uname().machine} {crc32(flags):08x}"
