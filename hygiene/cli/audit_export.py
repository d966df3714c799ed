"""``hygiene audit export`` and ``import``: our entries for others' collectors, and others' entries beside ours."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import click

from hygiene.errors import SourceError
from hygiene.fileio import write_atomic
from hygiene.places import audit_folder
from hygiene.prove.export import FORMATS
from hygiene.prove.foreign import KINDS
from hygiene.prove.imported import import_audit
from hygiene.prove.log import open_log


@click.command()
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), default="jsonl", show_default=True)
@click.option("--since", default="", metavar="TIME", help="Only entries from this UTC time on (2026-11-24T10:00).")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file (0600).")
def export(format_name: str, since: str, output: Path | None) -> None:
    """Write the entries for a log collector: OCSF (JSON), CEF, or as they stand."""
    text = StringIO()
    for event in open_log(audit_folder()).events():
        if event.time >= since:
            text.write(FORMATS[format_name](event) + "\n")
    if output is None:
        click.echo(text.getvalue(), nl=False)
    else:
        write_atomic(output, text.getvalue().encode(), mode=0o600)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "kind", type=click.Choice(["auto", *KINDS]), default="auto", show_default=True)
def import_(file: Path, kind: str) -> None:
    """Keep the audit FILE of a managed store (CloudTrail, Vault or OpenBao, Conjur) beside our log, but apart from it.

    Show it with hygiene audit log --imported.
    """
    folder = audit_folder()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}") from error
    kind, count, new = import_audit(folder, open_log(folder), content, kind)
    click.echo(f"{count} events from {kind}" + ("" if new else "; this file was imported before"))
