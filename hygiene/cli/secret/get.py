"""``hygiene secret get``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hygiene.cli.compose import Composition, compose, config_option, notice, store_option
from hygiene.errors import UsageError
from hygiene.fileio import PRIVATE_FILE, write_atomic
from hygiene.reference import Reference, check_name, parse_reference
from hygiene.secret import Secret


@click.command()
@click.argument("name", metavar="NAME|REF")
@click.option("--stage", help="current (the default), pending or previous.")
@click.option("--version", "version", help="A version's id, as history shows it.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file (0600) instead of stdout.")
@store_option
@config_option
def get(
    *, name: str, stage: str | None, version: str | None, output: str | None, store_name: str, config_path: str | None
) -> None:
    """Write exactly the value's bytes; a newline is added only on a terminal."""
    secret = _read(compose(config_path), name, stage, version, store_name)
    if output is not None:
        write_atomic(Path(output), secret.reveal(), mode=PRIVATE_FILE)
        notice(f"wrote {output}")
        return
    sys.stdout.buffer.write(secret.reveal())
    if sys.stdout.isatty():
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def _read(composition: Composition, name: str, stage: str | None, version: str | None, store_name: str) -> Secret:
    if name.startswith("ref+"):
        if stage or version or store_name:
            raise UsageError("a reference says itself where and which: drop --store, --stage and --version")
        return composition.resolver().resolve(parse_reference(name))
    store = composition.store(store_name)
    query = {"stage": stage, "version": version}
    asked = tuple((key, value) for key, value in query.items() if value)
    reference = store.reference(check_name(name))
    wanted = Reference(reference.scheme, reference.path, (*reference.query, *asked))
    return composition.resolver(lambda _: store).resolve(wanted)


COMMANDS = (get,)
