"""``hygiene audit``: look at the evidence, and prove that it is whole."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import click

from hygiene.errors import AuditError, ExitCode
from hygiene.places import home_folder
from hygiene.prove.actor import current_actor
from hygiene.prove.event import AuditEvent
from hygiene.prove.log import open_log
from hygiene.prove.verify import Verdict, verify_folder
from hygiene.report.terminal import printable


@click.group()
def command() -> None:
    """Look at the audit log, verify it, and report what it proves."""


def audit_folder() -> Path:
    """Give the folder of this user's audit log."""
    return home_folder() / "audit"


@command.command()
@click.option("--json", "as_json", is_flag=True, help="The entries as they stand in the log, one JSON object a line.")
@click.option("--action", default="*", metavar="GLOB", help="Only actions such as secret.get or 'rotate.*'.")
@click.option("--object", "object_", default="*", metavar="GLOB", help="Only objects such as 'ref+embedded://shop/*'.")
@click.option("--since", default="", metavar="TIME", help="Only entries from this UTC time on (2026-11-24T10:00).")
@click.option("-n", "--last", type=click.IntRange(min=1), help="Only the last N entries.")
def log(as_json: bool, action: str, object_: str, since: str, last: int | None) -> None:
    """Print the entries in the order of their times."""
    wanted = [
        event
        for event in open_log(audit_folder()).events()
        if fnmatchcase(event.action, action) and fnmatchcase(event.object, object_) and event.time >= since
    ]
    for event in wanted[-last:] if last else wanted:
        click.echo(_json_line(event) if as_json else _text_line(event))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="The verdict on each chain as JSON.")
@click.option("--key", "key_files", multiple=True, type=click.Path(path_type=Path), help="A verification key.")
def verify(as_json: bool, key_files: tuple[Path, ...]) -> int:
    """Verify the hash chains; exits 6 and names the first bad entry when the log was changed.

    A log that has been cut or replaced as a whole, with the state that lies beside it, is only noticed where its
    end was anchored outside: see hygiene audit anchor.
    """
    folder = audit_folder()
    verdicts = verify_folder(folder, _read_keys(key_files), current_actor())
    if as_json:
        click.echo(json.dumps([_verdict_json(verdict) for verdict in verdicts], indent=2))
    else:
        for verdict in verdicts:
            _print_verdict(verdict)
        if not verdicts:
            click.echo(f"nothing is recorded yet in {folder}")
    return ExitCode.AUDIT if any(verdict.problems for verdict in verdicts) else ExitCode.CLEAN


def _json_line(event: AuditEvent) -> str:
    fields = event._asdict()
    del fields["log"]
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _text_line(event: AuditEvent) -> str:
    detail = " ".join(f"{key}={value}" for key, value in sorted(event.detail.items()))
    who = event.actor.get("subject") or event.actor.get("git") or event.actor.get("user", "")
    return printable(
        f"{event.time}  {event.outcome:<6}  {event.action:<16} {event.object}  by {who}  {detail}".rstrip()
    )


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
