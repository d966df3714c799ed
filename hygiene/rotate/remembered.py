"""Verdicts of a short while ago, by fingerprint, so that a second run does not log in with every leak again.

Only live and dead are kept: what could not be told is asked again. The file holds keyed fingerprints and words of
ours, no value; one that can't be read is an empty one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hygiene.errors import WriteError
from hygiene.fileio import make_private_folder, write_atomic
from hygiene.rotate.provider import Check, Verdict

SECONDS = 600


class Remembered:
    """The verdicts in one file."""

    def __init__(self, path: Path, *, seconds: float = SECONDS, clock: Callable[[], float] = time.time) -> None:
        """Read ``path``, and forget what is older than ``seconds``."""
        self._path, self._seconds, self._clock = path, seconds, clock
        self._kept = {key: entry for key, entry in _read(path).items() if self._is_fresh(entry)}

    def get(self, fingerprint: str) -> tuple[str, Check] | None:
        """Give the provider and its verdict of a credential, or None where it has to be asked."""
        entry = self._kept.get(fingerprint)
        if entry is None:
            return None
        check = Check(Verdict(entry["verdict"]), entry["evidence"], entry["identity"], scopes=tuple(entry["scopes"]))
        return entry["provider"], check

    def put(self, fingerprint: str, provider: str, check: Check) -> None:
        """Remember a verdict that a provider gave just now."""
        if check.verdict is not Verdict.UNKNOWN:
            self._kept[fingerprint] = {
                **{"time": self._clock(), "provider": provider, "verdict": check.verdict.value},
                **{"evidence": check.evidence, "identity": check.identity, "scopes": list(check.scopes)},
            }

    def save(self) -> None:
        """Write what is remembered; a cache that can't be written is none."""
        try:
            make_private_folder(self._path.parent)
            write_atomic(self._path, json.dumps(self._kept, sort_keys=True).encode())
        except WriteError:
            return

    def _is_fresh(self, entry: Any) -> bool:
        try:
            texts = [entry["provider"], entry["evidence"], entry["identity"], *entry["scopes"]]
            age = self._clock() - entry["time"]
            known = entry["verdict"] in (Verdict.LIVE.value, Verdict.DEAD.value)
        except (KeyError, TypeError):
            return False
        return known and 0 <= age < self._seconds and all(isinstance(text, str) for text in texts)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
