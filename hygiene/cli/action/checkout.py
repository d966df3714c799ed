"""What the runner's clone must hold before the scan: which commits the event means, fetched where they are missing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hygiene.cli.action.events import EVERYTHING, Change, github_change
from hygiene.cli.action.inputs import Inputs
from hygiene.detect.sources.commits import shallow_edge
from hygiene.errors import SourceError, UsageError
from hygiene.git import Git

_REMOTE_PROTOCOLS = "https:http:ssh:file"


def change_of(inputs: Inputs, environ: Mapping[str, str], git: Git) -> Change:
    """Say what the inputs or else the event mean; raises UsageError where they say nothing that can be."""
    if inputs.mode == "full":
        return EVERYTHING
    if inputs.base or inputs.head or inputs.mode == "range":
        if not inputs.base:
            raise UsageError("a range needs the input base")
        return Change(_resolved(git, inputs.head or "HEAD"), (_resolved(git, inputs.base),))
    return github_change(environ.get("GITHUB_EVENT_NAME", ""), read_event(environ), lambda name: _exists(git, name))


def read_event(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Read the event's payload; empty where there is none. Raises UsageError for a file that can't be read."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        event = json.loads(Path(path).read_bytes()) if path else {}
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the event in {path}") from error
    return event if isinstance(event, dict) else {}


def _resolved(git: Git, name: str) -> str:
    found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", ok=(0, 1))
    # What is not here may be at the remote, by its id.
    return os.fsdecode(found).strip() or name


def _exists(git: Git, name: str) -> bool:
    found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", ok=(0, 1, 128))
    return bool(found.strip())


def with_history(git: Git, change: Change) -> Change:
    """Fetch what the range needs and a shallow checkout lacks; gives the change with its bases as commits."""
    needed = [name for name in (change.head, *change.bases) if not _exists(git, name)]
    if needed or (shallow_edge(git) and _is_cut(git, change)):
        _fetch(git, needed)
    if missing := [name for name in (change.head, *change.bases) if not _exists(git, name)]:
        raise SourceError(
            f"the commit {missing[0]} is not in this checkout, and can't be fetched",
            hint="give actions/checkout the input fetch-depth: 0",
        )
    return change._replace(head=_resolved(git, change.head), bases=tuple(_resolved(git, b) for b in change.bases))


def _is_cut(git: Git, change: Change) -> bool:
    listing = git.run("rev-list", *(["--all"] if change.whole else change.revisions), "--").decode().split()
    return not shallow_edge(git).isdisjoint(listing)


class _Remote(Git):
    """Git with the remote's settings as actions/checkout left them: a change can't reach ``.git/config``."""

    def command(self, *arguments: str) -> list[str]:
        return ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "GIT_ALLOW_PROTOCOL": _REMOTE_PROTOCOLS, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _fetch(git: Git, names: list[str]) -> None:
    deepen = ["--unshallow"] if shallow_edge(git) else []
    click.echo(f"hygiene: fetching {', '.join(names) or 'the history that this checkout lacks'}", err=True)
    try:
        _Remote(git.folder).run("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", *deepen, "origin", *names)
    except SourceError as error:
        # The scan itself says what is missing, and exits 4.
        click.echo(f"hygiene: notice: {error.message}", err=True)


def policy_base(git: Git, change: Change) -> str:
    """Give the commit whose policy counts: where the change left its base, or the base where they share nothing."""
    if change.whole or not change.bases:
        return ""
    found = git.run("merge-base", "--end-of-options", change.bases[0], change.head, ok=(0, 1))
    return os.fsdecode(found).strip() or change.bases[0]
