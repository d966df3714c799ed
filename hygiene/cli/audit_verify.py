"""``hygiene audit verify``: whether the log is whole."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hygiene.errors import AuditError, ExitCode
from hygiene.git import Git, find_root
from hygiene.places import audit_folder
from hygiene.prove.actor import current_actor
from hygiene.prove.anchor import REF, read_anchors, ref_place
from hygiene.prove.checkpoint import Checkpoint
from hygiene.prove.verify import Verdict, verify_folder
from hygiene.report.terminal import printable


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The verdict on each chain as JSON.")
@click.option("--key", "key_files", multiple=True, type=click.Path(path_type=Path), help="A verification key.")
@click.option("--ref", default=REF, show_default=True, help="The git ref with anchors, in the repository around you.")
def verify(as_json: bool, key_files: tuple[Path, ...], ref: str) -> int:
    """Verify the hash chains; exits 6 and names the first bad entry when the log was changed.

    A log that was put back to an old copy, with the state that lies beside it, is only noticed where its end was
    anchored outside: see hygiene audit anchor. In a repository with anchors the log is held against them.
    """
    folder = audit_folder()
    anchors, place = _anchors(ref)
    verdicts = verify_folder(folder, _read_keys(key_files), current_actor(), anchors, place)
    if as_json:
        click.echo(json.dumps([_verdict_json(verdict) for verdict in verdicts], indent=2))
    else:
        for verdict in verdicts:
            _print_verdict(verdict)
        if not verdicts:
            click.echo(f"nothing is recorded yet in {folder}")
    return ExitCode.AUDIT if any(verdict.problems for verdict in verdicts) else ExitCode.CLEAN


def _anchors(ref: str) -> tuple[list[Checkpoint], str]:
    root = find_root(Path.cwd())
    return (read_anchors(Git(root), ref), ref_place(Git(root), ref)) if root else ([], "")


def _print_verdict(verdict: Verdict) -> None:
    name = verdict.log[:16]
    for problem in verdict.problems:
        place = f" (line {problem.line})" if problem.line else ""
        click.echo(f"{name}: {printable(problem.message)}{place}")
    if verdict.problems:
        click.echo(f"{name}: does NOT verify; the first bad entry is {verdict.problems[0].seq}")
        return
    end = "its end is confirmed by the writer's state" if verdict.tail_confirmed else "its end is not confirmed here"
    click.echo(f"{name}: {verdict.entries} entries verify, {verdict.first_time} to {verdict.last_time}; {end}")
    if verdict.anchored:
        click.echo(f"{name}: anchored up to entry {verdict.anchored}; {verdict.entries - verdict.anchored} after it")
    for seq, time, action, what in verdict.unmatched:
        click.echo(printable(f"{name}: entry {seq} announces {action} {what} at {time}, and no outcome is recorded"))
    for seq in verdict.clock_steps:
        click.echo(f"{name}: the clock went back before entry {seq}")


def _verdict_json(verdict: Verdict) -> dict[str, object]:
    return {
        **verdict._asdict(),
        "verifies": not verdict.problems,
        "problems": [problem._asdict() for problem in verdict.problems],
        "unmatched": [dict(zip(("seq", "time", "action", "object"), item, strict=True)) for item in verdict.unmatched],
    }


def _read_keys(files: tuple[Path, ...]) -> dict[str, dict[int, bytes]]:
    keys: dict[str, dict[int, bytes]] = {}
    for path in files:
        try:
            for line in path.read_text().split():
                log, seq, key = line.split(":")
                keys.setdefault(log, {})[int(seq)] = bytes.fromhex(key)
        except (OSError, ValueError) as error:
            raise AuditError(
                f"{path} is not a verification key", hint="it is what hygiene audit key printed"
            ) from error
    return keys
