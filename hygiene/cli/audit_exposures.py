"""``hygiene audit exposures``, ``report`` and ``accept``: the story of each leak, and what is still to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TextIO

import click

from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.scan import scan
from hygiene.detect.sources.protocol import Source
from hygiene.detect.sources.registry import open_source
from hygiene.detect.sources.removal import removals
from hygiene.detect.workers import usable_cores
from hygiene.errors import ExitCode, SourceError
from hygiene.exposure import STATES, Exposure
from hygiene.fileio import write_atomic
from hygiene.finding import CONFIDENCES, Finding
from hygiene.git import Git, find_root
from hygiene.places import audit_folder
from hygiene.prove.actor import current_actor
from hygiene.prove.event import OK
from hygiene.prove.exposures import ACCEPT, build_exposures
from hygiene.prove.log import open_log
from hygiene.prove.verify import verify_folder
from hygiene.report.exposures_html import write_html
from hygiene.report.exposures_text import write_json, write_text
from hygiene.report.masking import Mask

_PATH = click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
_NO_SCAN = click.option("--no-scan", is_flag=True, help="Only what the log knows; reads no repository.")


@click.command()
@_PATH
@_NO_SCAN
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only exposures in this state.")
def exposures(path: Path, no_scan: bool, as_json: bool, states: tuple[str, ...]) -> int:
    """List every leaked secret of the repository PATH: introduced, stored, rotated, revoked, and by whom.

    The files and the whole history are scanned, and held against the audit log. Exits 6 when the log does not verify:
    then it proves nothing.
    """
    now = datetime.now(UTC)
    told = [exposure for exposure in _build(path, no_scan, now) if not states or exposure.state in states]
    verifies = _log_verifies()
    if as_json:
        write_json(told, sys.stdout, now, log_verifies=verifies)
    else:
        write_text(told, sys.stdout, now)
    return _exit_code(verifies)


@click.command()
@_PATH
@_NO_SCAN
@click.option("--format", "format_name", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
def report(path: Path, no_scan: bool, format_name: str, output: Path | None) -> int:
    """Report on all exposures with the times that it took to store, rotate and revoke."""
    now = datetime.now(UTC)
    told, verifies = _build(path, no_scan, now), _log_verifies()
    text = StringIO()
    _writer(format_name, verifies)(told, text, now)
    if output is None:
        click.echo(text.getvalue(), nl=False)
    else:
        write_atomic(output, text.getvalue().encode())
    return _exit_code(verifies)


@click.command()
@click.argument("fingerprint")
@click.option("--reason", required=True, help="Why the leak may stay; it is recorded, with who you are.")
@click.option("--until", metavar="DATE", default="", help="The last day on which this holds (2027-01-31).")
def accept(fingerprint: str, reason: str, until: str) -> None:
    """Take responsibility for leaving the leak FINGERPRINT as it is."""
    if until:
        try:
            datetime.strptime(until, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError as error:
            raise click.BadParameter(f"{until} is not a date such as 2027-01-31", param_hint="--until") from error
    log = open_log(audit_folder())
    log.record(ACCEPT, fingerprint, OK, fingerprint=fingerprint, reason=reason, expires=until)


def _build(path: Path, no_scan: bool, now: datetime) -> Sequence[Exposure]:
    events = list(open_log(audit_folder()).events())
    named = {event.detail.get("fingerprint", "") for event in events}
    found = [] if no_scan else _findings(path, named)
    told = build_exposures(found, events, now)
    return [exposure._replace(replaced=_replacements(path, exposure.fingerprint, found)) for exposure in told]


def _replacements(path: Path, fingerprint: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Give the commits on the way to HEAD that took a leak out of a file."""
    own = [finding for finding in findings if finding.fingerprint == fingerprint and finding.provenance[0].commit]
    root = find_root(path) if own else None
    if root is None:
        return ()
    return tuple(dict.fromkeys(commit for finding in own for commit in removals(Git(root), finding, ["HEAD"])))


def _findings(path: Path, named: Collection[str]) -> list[Finding]:
    """Give what is sure enough to be reported, and what the log knows to be a secret, however it looks."""
    root = find_root(path)
    where = root or path
    sources: list[Source] = [open_source("directory", where, ignored=False)]
    if root is not None:
        sources.append(open_source("history", root))
    scanning = open_scanning(where.resolve(), root, Wishes(min_confidence="low"))
    found: list[Finding] = []
    for source in sources:
        result = scan(
            source, scanning.examiner, scanning.accepted, exclude=scanning.config.exclude, jobs=usable_cores()
        )
        if result.incomplete:
            first = next(skip for skip in result.skipped if skip.incomplete)
            raise SourceError(f"the scan is incomplete, so exposures may be missing: {first.path}: {first.reason}")
        found += result.findings
    mask, sure = Mask(found), CONFIDENCES.index(scanning.config.min_confidence)
    return [
        mask.finding(finding)
        for finding in found
        if CONFIDENCES.index(finding.confidence) >= sure or finding.fingerprint in named
    ]


def _log_verifies() -> bool:
    return not any(verdict.problems for verdict in verify_folder(audit_folder(), None, current_actor()))


def _exit_code(verifies: bool) -> int:
    if not verifies:
        click.echo("hygiene: error: the audit log does not verify, so it proves none of this", err=True)
        click.echo("hygiene: hint: hygiene audit verify names what is wrong", err=True)
        return ExitCode.AUDIT
    return ExitCode.CLEAN


def _writer(format_name: str, verifies: bool) -> Callable[[Sequence[Exposure], TextIO, datetime], None]:
    if format_name == "text":
        return write_text
    write = write_json if format_name == "json" else write_html
    return lambda told, stream, now: write(told, stream, now, log_verifies=verifies)
