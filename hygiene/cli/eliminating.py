"""Says, before something is rotated, how it can be done without: once for each kind, however many secrets are of it."""

from __future__ import annotations

import threading
from pathlib import Path

from hygiene.cli.compose import notice
from hygiene.git import find_root
from hygiene.rotate.eliminate import PIPELINES, Advice, advice_for


class Eliminating:
    """What was said in this run."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def say(self, name: str, provider: str, rule: str) -> str:
        """Print what can take the place of ``name``, unless that was said of its kind; gives it in short, or ""."""
        advice = advice_for(provider, rule)
        if advice is None:
            return ""
        with self._lock:
            if advice.instead not in self._said:
                self._said.add(advice.instead)
                notice(_told(name, advice))
        return advice.instead


def _told(name: str, advice: Advice) -> str:
    root = find_root(Path.cwd())
    pipelines = [pipeline for pipeline, path in PIPELINES.items() if root and (root / path).exists()]
    lines = [f"{name} and its like can be done without: {advice.instead}"]
    lines += [f"    {number}. {step}" for number, step in enumerate(advice.steps_for(pipelines), 1)]
    return "\n".join((*lines, f"    {advice.link}"))
