"""The inputs of the Action, as action.yml hands them over: one environment variable each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hygiene.errors import UsageError
from hygiene.finding import SEVERITIES
from hygiene.report.github import SHOWN_A_KIND

_PREFIX = "HYGIENE_INPUT_"
_MODES = ("auto", "range", "full", "respond")


class Inputs(NamedTuple):
    """The Action's inputs, checked."""

    path: Path
    mode: str
    base: str
    head: str
    config: str
    baseline: str
    fail_on: str
    sarif: bool
    summary: bool
    annotate: bool
    max_annotations: int
    cache: bool


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Read the inputs; an empty one means its default. Raises UsageError for one that can't be."""

    def text(name: str, default: str = "") -> str:
        return environ.get(_PREFIX + name, "").strip() or default

    def choice(name: str, known: tuple[str, ...], default: str) -> str:
        value = text(name, default)
        if value not in known:
            raise UsageError(f"the input {name.lower().replace('_', '-')} is {value!r}", hint=f"use {', '.join(known)}")
        return value

    def flag(name: str, default: str) -> bool:
        return choice(name, ("true", "false"), default) == "true"

    limit = text("MAX_ANNOTATIONS", str(SHOWN_A_KIND))
    if not limit.isdecimal():
        raise UsageError(f"the input max-annotations is {limit!r}", hint="use a number")
    return Inputs(
        path=Path(environ.get("GITHUB_WORKSPACE") or ".") / text("PATH", "."),
        mode=choice("MODE", _MODES, "auto"),
        base=text("BASE"),
        head=text("HEAD"),
        config=text("CONFIG"),
        baseline=text("BASELINE"),
        fail_on=choice("FAIL_ON", (*SEVERITIES, "never"), "low"),
        sarif=flag("SARIF", "false"),
        summary=flag("SUMMARY", "true"),
        annotate=flag("ANNOTATE", "true"),
        max_annotations=min(int(limit), SHOWN_A_KIND),
        cache=flag("CACHE", "true"),
    )
