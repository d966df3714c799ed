"""The glance itself."""

import os
import sys
from importlib import import_module

from hygiene.detect import kept
from hygiene.detect.glance.ready import GENERIC, HEX, Ready, read_kept, read_ready
from hygiene.detect.glance.staged import Staged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONG_NAME = 16  # bytes; a shorter name holds no token (see detect/sources/names.py)
_CLOSE = 4  # bytes (see detect/match.py)
_DIGITS = 8  # that each hint at hexadecimal has at least
_CONFIDENCES = ("low", "medium", "high")

settled: set[str] = set()  # ids of the objects that this process has found clean: no need to read them again
listings: list[bytes] = []  # what git listed, if it did: no need to ask it again


def is_clean(root: str, cache: str) -> bool:
    """Say whether nothing staged in ``root``, this folder, can be a credential; False too where that is not clear."""
    if not hasattr(os, "posix_spawnp"):  # Windows
        return False
    try:
        staged = Staged()
        try:
            ready = read_ready(cache, root)
            return ready is not None and _is_clean(staged, Glance(ready, cache))
        finally:
            staged.close()
    except Exception:  # whatever it is, the ordinary scan meets it again and words it
        return False


def _is_clean(staged: Staged, glance: "Glance") -> bool:
    entries = staged.entries()
    listings.append(staged.listing)
    clean: set[str] = set()
    unclear: set[str] = set()
    for name, path, data in staged.blobs(entries):
        (clean if glance.is_harmless(path, data) else unclear).add(name)
    settled.update(clean - unclear)
    names = all(glance.is_harmless(path, path) for _, path in entries if len(path) >= _LONG_NAME)
    # What took long to make is kept by an ordinary scan.
    return names and not unclear and not kept.missing


class Glance:
    """Looks at bytes: does a rule match, or a generic one where the classifier sees a credential?"""

    def __init__(self, ready: Ready, cache: str) -> None:
        engine = _engine(ready.extension)
        self._database = engine.loadb(ready.database, engine.HS_MODE_BLOCK)
        self._database.scratch = engine.Scratch(self._database)
        self._kinds = ready.kinds
        self._counts = _CONFIDENCES[_CONFIDENCES.index(ready.least) :]
        self._cache = cache
        self._guesses: Any = None

    def is_harmless(self, path: bytes, data: bytes) -> bool:
        """Say whether ``data`` at ``path`` matches no rule but generic ones, and is no credential by those."""
        matches = self._matches(data)
        if not matches:
            return True
        kinds = self._kinds
        if any(kinds[rule] not in (GENERIC, HEX) for rule, _ in matches):
            return False
        digits = [end for rule, end in matches if kinds[rule] == HEX]
        if digits and not self._decode_to_nothing(data, digits):
            return False
        places = _places([match for match in matches if kinds[match[0]] == GENERIC])
        if not places:
            return True
        guesses = self._classifier()(data, os.fsdecode(path), places)
        return not any(guess.confidence in self._counts for guess in guesses)

    def _matches(self, data: bytes) -> list[tuple[int, int]]:
        """Give which pattern matched, and where its match ended."""
        matches: list[tuple[int, int]] = []
        self._database.scan(data, lambda rule, _start, end, _flags, _context: matches.append((rule, end)))
        return matches

    def _decode_to_nothing(self, data: bytes, ends: list[int]) -> bool:
        """Say whether no pattern matches the hexadecimal values at ``ends``: long numbers spell words by chance."""
        values = import_module("hygiene.detect.encodings.radix").hex_values
        return not any(self._matches(value.text) for value in values(data, [(end - _DIGITS, end) for end in ends]))

    def _classifier(self) -> "Any":
        if self._guesses is None:
            kept.keep(read_kept(self._cache))
            self._guesses = import_module("hygiene.detect.guess").guesses
        return self._guesses


def _places(matches: list[tuple[int, int]]) -> list[int]:
    """Give where generic rules matched; places close to one of the same rule say nothing new."""
    last: dict[int, int] = {}
    places = []
    for rule, end in matches:
        if end - last.get(rule, -_CLOSE - 1) > _CLOSE:
            last[rule] = end
            places.append(end)
    return places


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
