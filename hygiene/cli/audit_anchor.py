"""``hygiene audit anchor``, ``key`` and ``restart``: what makes the log hold against more than a careless edit."""

from __future__ import annotations

from pathlib import Path

import click

from hygiene.errors import AuditError, UsageError
from hygiene.fileio import create_exclusive, write_atomic
from hygiene.git import Git, find_root
from hygiene.places import audit_folder
from hygiene.prove.actor import current_actor
from hygiene.prove.anchor import REF, anchored_detail, place_of, read_anchors, ref_place, write_anchor
from hygiene.prove.chain import ANCHORED
from hygiene.prove.checkpoint import checkpoint_from_entry, find_signer
from hygiene.prove.event import OK
from hygiene.prove.log import open_log
from hygiene.prove.verify import verify_folder


@click.command()
@click.option("--ref", default=REF, show_default=True, help="The git ref that keeps the anchors.")
def anchor(ref: str) -> None:
    """Commit a signed checkpoint of the log to a git ref of this repository.

    The log is verified first, against the earlier anchors too. Push the ref where nobody can rewrite it: from then on
    a log that was cut, replaced or put back to an old copy does not verify.
    """
    root = find_root(Path.cwd())
    if root is None:
        raise UsageError("anchors are kept in a git repository, and this is none", hint="go into one, or git init")
    folder, actor, git = audit_folder(), current_actor(), Git(root)
    for verdict in verify_folder(folder, None, actor, read_anchors(git, ref), ref_place(git, ref)):
        if verdict.problems:
            raise AuditError(f"not anchored: {verdict.problems[0].message}", hint="hygiene audit verify says more")
    log = open_log(folder, actor)
    event = log.checkpoint(find_signer())
    checkpoint = checkpoint_from_entry(event, place_of(actor, folder))
    commit = write_anchor(git, [checkpoint], ref)
    log.record(ANCHORED, ref, OK, **anchored_detail(git, checkpoint, commit, ref))
    click.echo(f"anchored {checkpoint.log[:16]} at entry {checkpoint.seq} in {ref} ({commit[:12]})")
    click.echo(f"hygiene: push it to where it is protected: git push origin {ref}", err=True)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to a new private file instead.")
def key(output: Path | None) -> None:
    """Change the log's MAC key, and give the key that verifies all later entries. It is shown once and kept nowhere.

    Whoever holds it (not on this machine) can prove with audit verify --key that no later intruder rewrote the past.
    """
    if output is not None and not create_exclusive(output, b""):
        raise UsageError(f"{output} exists", hint="name a new file")
    text = open_log(audit_folder()).begin_epoch()
    if output is None:
        click.echo(text)
    else:
        write_atomic(output, text.encode() + b"\n")


@click.command()
@click.option("--reason", required=True, help="Why the chain ends; it is recorded.")
def restart(reason: str) -> None:
    """End the chain as it is and begin a new one that records where the old one ended, and why.

    For a log that was damaged or cut, into which nothing is written any more. The old files stay, and go on to
    fail the verification until they are moved elsewhere as evidence.
    """
    event = open_log(audit_folder()).restart(reason)
    click.echo(f"a new chain begins: {event.object[:16]}")
