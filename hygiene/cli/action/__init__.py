"""``hygiene action``: what ``action.yml`` runs. All of the Action's decisions are here, where tests reach them.

Values come from the environment and the event's file, never through a shell. A pull request is scanned under the policy
of its base: who wants to hide a leak can't do so in the change that adds it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from hygiene.cli.action.cache import cache_outputs
from hygiene.cli.action.checkout import change_of, policy_base, with_history
from hygiene.cli.action.events import NOTHING, Change
from hygiene.cli.action.inputs import Inputs, read_inputs
from hygiene.cli.action.place import at_head
from hygiene.cli.action.reporting import figures, report, write_files, write_outputs
from hygiene.cli.action.responding import respond
from hygiene.cli.scanning import Scanning, Wishes, open_scanning
from hygiene.detect.scan import scan
from hygiene.detect.sources.registry import open_source
from hygiene.detect.workers import usable_cores
from hygiene.errors import ExitCode, HygieneError
from hygiene.finding import SEVERITIES, ScanResult, ScanStats
from hygiene.git import Git
from hygiene.report.github import escape_data


@click.command("action", hidden=True)
@click.option("--cache", "only_cache", is_flag=True, help="Only say where compiled rules are kept, and by which key.")
def command(*, only_cache: bool) -> int:
    """Scan what a GitHub event adds. Run by action.yml; reads HYGIENE_INPUT_* and GITHUB_*."""
    try:
        if only_cache:
            write_outputs(os.environ, cache_outputs(os.environ))
            return ExitCode.CLEAN
        return run_action(os.environ)
    except HygieneError as error:
        write_outputs(os.environ, {"exit-code": str(int(error.exit_code)), "complete": "false"})
        click.echo(f"::error title=hygiene::{escape_data(error.message)}")
        raise


def run_action(environ: Mapping[str, str]) -> int:
    """Scan, report in every way that is asked for, and give the exit code."""
    inputs = read_inputs(environ)
    if inputs.mode == "respond":
        code = respond(inputs, environ)
        write_outputs(environ, {"exit-code": str(code), "complete": str(code != ExitCode.INCOMPLETE).lower()})
        return code
    root = Git(inputs.path).root()
    git = Git(root)
    change = change_of(inputs, environ, git)
    if change == NOTHING:
        click.echo("hygiene: the event adds nothing")
        result, notices = ScanResult((), (), ScanStats()), tuple[str, ...]()
    else:
        change = with_history(git, change)
        scanning = _scanning(inputs, root, change)
        result, notices = _scan(git, change, scanning), scanning.notices
    code = _exit_code(result, inputs.fail_on)
    report(result, notices, inputs, environ, change)
    write_outputs(environ, {**figures(result), "exit-code": str(code), **write_files(result, inputs, environ)})
    return code


def _scanning(inputs: Inputs, root: Path, change: Change) -> Scanning:
    wishes = Wishes(config=inputs.config, baseline=inputs.baseline)
    return open_scanning(root, root, wishes, base=policy_base(Git(root), change))


def _scan(git: Git, change: Change, scanning: Scanning) -> ScanResult:
    if change.whole:
        source = open_source("history", git.folder)
    else:
        source = open_source("commits", git.folder, revisions=change.revisions)
    result = scan(source, scanning.examiner, scanning.accepted, exclude=scanning.config.exclude, jobs=usable_cores())
    return result._replace(findings=tuple(at_head(git, change.head, result.findings)))


def _exit_code(result: ScanResult, fail_on: str) -> int:
    if result.incomplete:
        return ExitCode.INCOMPLETE
    if fail_on == "never":
        return ExitCode.CLEAN
    limit = SEVERITIES.index(fail_on)
    grave = any(SEVERITIES.index(finding.severity) >= limit for finding in result.new)
    return ExitCode.FINDINGS if grave else ExitCode.CLEAN
