"""``hygiene audit log``: the entries, as they stand."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import click

from hygiene.places import audit_folder
from hygiene.prove.event import AuditEvent
from hygiene.prove.log import open_log
from hygiene.report.terminal import printable


@click.command()
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
