"""Where the chains of an audit folder lie, and their lines in order.

``audit/<id>.0001.jsonl`` is the first file of the chain whose log id starts with ``<id>``, ``<id>.0002.jsonl`` goes on
where it ends. Each writer has a chain of its own, so that folders of several writers merge by copying.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from hygiene.errors import AuditError

_SEGMENT = re.compile(r"([0-9a-f]{16})\.(\d{4,})\.jsonl\Z")
LOCK = ".lock"  # held by who writes
SHORT_ID = 16  # digits of a log's id that name its files


@lru_cache(8)  # each entry asks for the same two or three
def segment_path(folder: Path, log: str, number: int) -> Path:
    """Name the file ``number`` of the chain ``log``."""
    return folder / f"{log[:SHORT_ID]}.{number:04d}.jsonl"


def chain_files(folder: Path) -> dict[str, list[Path]]:
    """Find the chains in ``folder``: short id → its files in order."""
    chains: dict[str, list[tuple[int, Path]]] = {}
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AuditError(f"cannot read the audit log in {folder}: {error.strerror}") from error
    for name in names:
        if shape := _SEGMENT.match(name):
            chains.setdefault(shape[1], []).append((int(shape[2]), folder / name))
    return {log: [path for _, path in sorted(files)] for log, files in chains.items()}


def chain_lines(files: list[Path]) -> Iterator[tuple[bytes, bool]]:
    """Give the lines of a chain in order, without newline, and whether each is whole."""
    for path in files:
        try:
            with path.open("rb") as stream:
                for line in stream:
                    yield line.removesuffix(b"\n"), line.endswith(b"\n")
        except OSError as error:
            raise AuditError(f"cannot read {path}: {error.strerror}") from error
