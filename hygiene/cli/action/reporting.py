"""Every way in which the Action tells its outcome: log, annotations, job summary, files, outputs."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import click

from hygiene.cli.action.events import Change
from hygiene.cli.action.inputs import Inputs
from hygiene.fileio import write_atomic
from hygiene.finding import ScanResult
from hygiene.report.github import annotate, escape_data, mask_commands
from hygiene.report.github_summary import write_summary
from hygiene.report.registry import reporter

_NOTICES_AT_MOST = 3  # of the ten warnings that GitHub shows: findings need the rest
_MORE = "There is more to say of this change's policy: see the job summary."


def report(
    result: ScanResult, notices: Sequence[str], inputs: Inputs, environ: Mapping[str, str], change: Change
) -> None:
    """Tell ``result`` in the job's log, as annotations, and in the job summary."""
    if environ.get("GITHUB_ACTIONS") == "true":
        # Before anything else is printed: from here on the runner hides these values.
        for line in mask_commands(result):
            click.echo(line)
    shown = notices if len(notices) <= _NOTICES_AT_MOST else [*notices[: _NOTICES_AT_MOST - 1], _MORE]
    for notice in shown:
        click.echo(f"::warning title=hygiene::{escape_data(notice)}")
    # A file may be named like a workflow command: nothing that the report prints is obeyed.
    token = secrets.token_hex(16)
    click.echo(f"::stop-commands::{token}")
    reporter("text").report(result, sys.stdout)
    click.echo(f"::{token}::")
    if inputs.annotate:
        annotate(result, sys.stdout, at_most=inputs.max_annotations, warnings=len(shown))
    if inputs.summary:
        text = StringIO()
        write_summary(result, text, blob_url=_blob_url(environ, change), notices=notices)
        append_summary(environ, text.getvalue())


def append_summary(environ: Mapping[str, str], text: str) -> None:
    """Append ``text``, Markdown, to the job summary."""
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        _append(Path(path), text)


def _blob_url(environ: Mapping[str, str], change: Change) -> str:
    server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
    return f"{server}/{repository}/blob/{change.head}" if server and repository and not change.whole else ""


def figures(result: ScanResult) -> dict[str, str]:
    """Give the outputs that count."""
    return {
        "findings": str(len(result.findings)),
        "new-findings": str(len(result.new)),
        "blobs-scanned": str(result.stats.blobs),
        "commits-scanned": str(result.stats.commits),
        "complete": str(not result.incomplete).lower(),
    }


def write_files(result: ScanResult, inputs: Inputs, environ: Mapping[str, str]) -> dict[str, str]:
    """Write the report (and SARIF where asked for) below RUNNER_TEMP; gives the outputs that name them."""
    folder = Path(environ.get("RUNNER_TEMP") or ".") / "hygiene"
    folder.mkdir(parents=True, exist_ok=True)
    names = {"report-path": ("json", "report.json")}
    if inputs.sarif:
        names["sarif-path"] = ("sarif", "hygiene.sarif")
    paths = {}
    for output, (format_name, name) in names.items():
        text = StringIO()
        reporter(format_name).report(result, text)
        write_atomic(folder / name, text.getvalue().encode())
        paths[output] = str(folder / name)
    return paths


def write_outputs(environ: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Append the Action's outputs to the runner's file."""
    if path := environ.get("GITHUB_OUTPUT"):
        _append(Path(path), "".join(f"{name}={value}\n" for name, value in outputs.items()))


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)
