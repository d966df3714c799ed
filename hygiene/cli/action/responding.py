"""The Action's mode ``respond``: rotate what leaked, where the workflow lends the secrets for it.

Only on the default branch, and only for events that nobody without the right to push can cause: this run holds the
identity that opens the store.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Mapping
from html import escape
from typing import Any

import click

from hygiene.cli.action.checkout import read_event, with_history
from hygiene.cli.action.events import EVERYTHING
from hygiene.cli.action.inputs import Inputs
from hygiene.cli.action.reporting import append_summary
from hygiene.errors import UsageError
from hygiene.git import Git
from hygiene.report.github_summary import BYTES_AT_MOST

_EVENTS = ("push", "schedule", "workflow_dispatch")


def respond(inputs: Inputs, environ: Mapping[str, str]) -> int:
    """Run ``hygiene respond`` on the whole history; gives its exit code. Raises UsageError elsewhere than is safe."""
    refuse_elsewhere(environ, read_event(environ))
    root = Git(inputs.path).root()
    with_history(Git(root), EVERYTHING)
    config = ["--config", str(root / inputs.config)] if inputs.config else []
    command = [sys.executable, "-P", "-m", "hygiene", "respond", *config]
    # A process of its own: a plain scan is installed without what this command imports.
    done = subprocess.run(command, cwd=root, env=dict(environ), stdout=subprocess.PIPE, check=False)
    text = done.stdout.decode("utf-8", "replace")
    token = secrets.token_hex(16)
    click.echo(f"::stop-commands::{token}\n{text}\n::{token}::")
    if inputs.summary:
        append_summary(environ, f"## hygiene respond\n\n<pre>{escape(text)[: BYTES_AT_MOST // 4]}</pre>\n")
    return done.returncode


def refuse_elsewhere(environ: Mapping[str, str], event: Mapping[str, Any]) -> None:
    """Raise UsageError unless the event is one of the default branch."""
    name = environ.get("GITHUB_EVENT_NAME", "")
    if name not in _EVENTS or "pull_request" in event:
        raise UsageError(f"the mode respond does not run for the event {name!r}", hint=f"use {', '.join(_EVENTS)}")
    # A schedule runs on the default branch only, and its payload need not name it.
    repository = event.get("repository")
    default = repository.get("default_branch") if isinstance(repository, dict) else None
    if name != "schedule" and (not default or environ.get("GITHUB_REF") != f"refs/heads/{default}"):
        raise UsageError("the mode respond runs on the default branch only", hint="limit the workflow's branches to it")
