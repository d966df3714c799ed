"""What the last scan of a whole history saw, so that the next one reads only what is new.

One file a set of rules in the repository's own folder ``.git/hygiene/seen``: the refs, what was found (never a value:
those are read again from the objects), the objects in which something matched, and what was counted and skipped. All
that the refs reached then and that is not in the list is known to be clean. The file is believed only if it is this
user's own and carries this user's seal: a repository may come with a ``.git`` that a stranger made.
"""

from __future__ import annotations

import contextlib
import hmac
import marshal
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, cast

from hygiene.errors import WriteError
from hygiene.fileio import create_exclusive, is_private, make_private_folder, write_atomic
from hygiene.finding import Finding, Provenance, ScanStats, Skipped
from hygiene.secret import Secret

_FORMAT = 2
_MAGIC = b"hygiene seen 2\n"
_NO_VALUE = Secret(b"")
_SEAL_BYTES = 32
_KEPT = 4  # sets of rules
_SEAL_FILE = "seen-seal"


class Memory(NamedTuple):
    """What a scan of all refs saw."""

    digest: bytes  # of all refs
    refs: bytes  # what tells how they moved since (see sources.refs)
    commits: bytes  # the beginnings of the ids of all commits that there were
    findings: tuple[Finding, ...]  # each without its value
    paths: Mapping[str, str]  # a path of each object in which something matched
    stats: ScanStats
    skipped: tuple[Skipped, ...]
    packs: tuple[str, ...]  # that there were, where objects were missing: with others, all is read again


class Notebook:
    """Reads and writes the memory of one repository for one set of rules."""

    def __init__(self, repository: Path, cache: Path, key: str) -> None:
        """Keep it in ``repository`` (our folder in the git directory), sealed by a secret in ``cache``, for ``key``."""
        self._folder = repository / "seen"
        self._path = self._folder / sha256(f"{_FORMAT}\n{key}".encode()).hexdigest()[:32]
        self._cache = cache
        self._key = key.encode()

    def read(self) -> Memory | None:
        """Give the memory, or None where there is none that can be believed."""
        seal = self._seal(make=False)
        if seal is None or not (is_private(self._folder) and is_private(self._path)):
            return None
        try:
            content = self._path.read_bytes().removeprefix(_MAGIC)
        except OSError:
            return None
        body = content[_SEAL_BYTES:]
        if not hmac.compare_digest(content[:_SEAL_BYTES], self._sealed(seal, body)):
            return None
        digest, refs, commits, findings, paths, stats, skipped, packs = marshal.loads(body)  # noqa: S302 (sealed by this user)
        return Memory(
            digest=digest,
            refs=refs,
            commits=commits,
            findings=tuple(map(_finding, findings)),
            paths=paths,
            stats=ScanStats(*stats),
            skipped=tuple(Skipped(*skip) for skip in skipped),
            packs=packs,
        )

    def write(self, memory: Memory) -> None:
        """Keep ``memory``; a place that can't be written is no failure."""
        plain = (
            memory.digest,
            memory.refs,
            memory.commits,
            tuple(map(_row, memory.findings)),
            dict(memory.paths),
            tuple(memory.stats),
            tuple(tuple(skip) for skip in memory.skipped),
            memory.packs,
        )
        body = marshal.dumps(cast(Any, plain))
        with contextlib.suppress(OSError, WriteError):
            seal = self._seal(make=True)
            if seal is None:
                return
            make_private_folder(self._folder)
            write_atomic(self._path, _MAGIC + self._sealed(seal, body) + body, mode=0o600)
            _prune(self._folder)

    def _sealed(self, seal: bytes, body: bytes) -> bytes:
        return hmac.digest(seal, self._key + b"\0" + body, "sha256")

    def _seal(self, *, make: bool) -> bytes | None:
        path = self._cache / _SEAL_FILE
        if make and not path.exists():
            make_private_folder(self._cache)
            create_exclusive(path, os.urandom(_SEAL_BYTES))
        if not is_private(path):
            return None
        try:
            seal = path.read_bytes()
        except OSError:
            return None
        return seal if len(seal) == _SEAL_BYTES else None


def _row(finding: Finding) -> tuple[Any, ...]:
    """Give the facts of ``finding`` but for its value."""
    provenance = tuple(tuple(place) for place in finding.provenance)
    return tuple(finding._replace(secret=None, provenance=provenance))  # type: ignore[arg-type]


def _finding(row: Sequence[Any]) -> Finding:
    finding = Finding._make(row)
    places = tuple(Provenance._make(place) for place in finding.provenance)
    return finding._replace(secret=_NO_VALUE, provenance=places)


def _prune(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_KEPT:]:
        path.unlink(missing_ok=True)
