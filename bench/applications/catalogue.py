"""The public applications beside this file: what is planted in each, and how each says that it still works."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from planting import Plant


class Application(NamedTuple):
    """One application in one language or stack."""

    name: str
    repository: str  # owner/name
    tools: tuple[str, ...]  # programs that the checks need
    plants: tuple[Plant, ...]
    checks: tuple[str, ...]  # shell commands that must end as they did before the migration
    proof: str = ""  # a shell command whose output must hold the values named in ``proves``
    proves: tuple[str, ...] = ()
    setup: str = ""  # what fetches the application's dependencies


def read_applications() -> list[Application]:
    """Read all applications, in the order of their names."""
    return [_read(path) for path in sorted(Path(__file__).parent.glob("*.toml"))]


def _read(path: Path) -> Application:
    facts = tomllib.loads(path.read_text("utf-8"))
    plants = tuple(Plant(**one) for one in facts.pop("plants"))
    lists = {key: tuple(value) for key, value in facts.items() if isinstance(value, list)}
    return Application(name=path.stem, plants=plants, **{**facts, **lists})
