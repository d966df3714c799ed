"""Where a credential can be done without: workload identity, trusted publishing, leases."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

_FILE = "eliminate.toml"
PIPELINES = {"github": ".github/workflows", "gitlab": ".gitlab-ci.yml"}  # and what a repository with one has


class Advice(NamedTuple):
    """What takes the place of credentials of some kind, and how to get there."""

    instead: str
    steps: tuple[str, ...]  # where no pipeline is known
    link: str
    providers: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # globs
    github: tuple[str, ...] = ()
    gitlab: tuple[str, ...] = ()

    def steps_for(self, pipelines: Sequence[str]) -> tuple[str, ...]:
        """Give the steps for the first of ``pipelines`` that has some of its own, else those for anywhere."""
        own = {"github": self.github, "gitlab": self.gitlab}
        return next((own[name] for name in pipelines if own.get(name)), self.steps)


def advice_for(provider: str, rule: str) -> Advice | None:
    """Give what a credential of ``provider``, or found by ``rule``, can be replaced by; None where nothing is known."""
    return next(
        (
            advice
            for advice in all_advice()
            if provider in advice.providers or any(fnmatchcase(rule, glob) for glob in advice.rules)
        ),
        None,
    )


@cache
def all_advice() -> tuple[Advice, ...]:
    """Read the table."""
    document = tomllib.loads(files("hygiene.rotate").joinpath(_FILE).read_text("utf-8"))
    return tuple(_advice_from(entry) for entry in document["advice"])


def _advice_from(entry: Mapping[str, Any]) -> Advice:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Advice(**fields)
