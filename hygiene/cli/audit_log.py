"""``hygiene audit log``: the entries, as they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase

import click

from hygiene.places import audit_folder
from hygiene.prove.event import AuditEvent
from hygiene.prove.export import as_jsonl
from hygiene.prove.foreign import ForeignEvent
from hygiene.prove.imported import imported_events
from hygiene.prove.log import open_log
from hygiene.report.terminal import printable


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The entries as they stand in the log, one JSON object a line.")
@click.option("--action", default="*", metavar="GLOB", help="Only actions such as secret.get or 'rotate.*'.")
@click.option("--object", "object_", default="*", metavar="GLOB", help="Only objects such as 'ref+embedded://shop/*'.")
@click.option("--since", default="", metavar="TIME", help="Only entries from this UTC time on (2026-11-24T10:00).")
@click.option("-n", "--last", type=click.IntRange(min=1), help="Only the last N entries.")
@click.option("--imported", is_flag=True, help="Instead: what other systems recorded (hygiene audit import).")
def log(*, as_json: bool, action: str, object_: str, since: str, last: int | None, imported: bool) -> None:
    """Print the entries in the order of their times."""
    events: Iterator[AuditEvent | ForeignEvent] = (
        imported_events(audit_folder()) if imported else open_log(audit_folder()).events()
    )
    wanted: list[AuditEvent | ForeignEvent] = [
        event
        for event in events
        if fnmatchcase(event.action, action) and fnmatchcase(event.object, object_) and event.time >= since
    ]
    for event in wanted[-last:] if last else wanted:
        click.echo(_json_line(event) if as_json else _text_line(event))


def _json_line(event: AuditEvent | ForeignEvent) -> str:
    return as_jsonl(event) if isinstance(event, AuditEvent) else json.dumps(event._asdict(), sort_keys=True)


def _text_line(event: AuditEvent | ForeignEvent) -> str:
    what = f"{event.time}  {event.outcome:<6}  {event.action:<16} {event.object}"
    if isinstance(event, ForeignEvent):
        return printable(f"{what}  by {event.actor}  as told by {event.source} {event.id}")
    detail = " ".join(f"{key}={value}" for key, value in sorted(event.detail.items()))
    who = event.actor.get("subject") or event.actor.get("git") or event.actor.get("user", "")
    return printable(f"{what}  by {who}  {detail}".rstrip())
