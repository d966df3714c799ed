"""The glance itself."""

import os
import sys

from hygiene.detect.glance.ready import Ready, read_ready
from hygiene.detect.glance.staged import Staged, Unclear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONG_NAME = 16  # bytes; a shorter name holds no token (see detect/sources/names.py)


def is_clean(root: str, cache: str) -> bool:
    """Say whether nothing staged in ``root``, this folder, matches; False too where that takes a closer look."""
    if not hasattr(os, "posix_spawnp"):  # Windows
        return False
    try:
        staged = Staged()
        try:
            return _is_clean(staged, read_ready(cache, root))
        finally:
            staged.close()
    except Exception:  # whatever it is, the ordinary scan meets it again and words it
        return False


def _is_clean(staged: Staged, ready: Ready | None) -> bool:
    if ready is None:
        return False
    database = _load(ready)
    entries = staged.entries()
    for _, data in staged.blobs(entries):
        _look(database, data)
    for _, path in entries:
        if len(path) >= _LONG_NAME:
            _look(database, path)
    return True


def _look(database: "Any", data: bytes) -> None:
    """Raise Unclear if anything matches."""
    matches: list[int] = []

    def on_match(rule: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        matches.append(rule)

    database.scan(data, on_match)
    if matches:
        raise Unclear


def _load(ready: Ready) -> "Any":
    engine = _engine(ready.extension)
    database = engine.loadb(ready.database, engine.HS_MODE_BLOCK)
    database.scratch = engine.Scratch(database)
    return database


def _engine(extension: str) -> "Any":
    """Import Hyperscan's extension module without its package, which imports ``typing``."""
    name = "hyperscan._hs_ext"
    if name not in sys.modules:
        sys.modules["hyperscan"] = package = type(sys)("hyperscan")
        package.__path__ = [os.path.dirname(extension)]
        try:
            __import__(name)
        finally:
            del sys.modules["hyperscan"]  # so that an ordinary scan imports the whole of it
    return sys.modules[name]
