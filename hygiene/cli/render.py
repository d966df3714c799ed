"""``hygiene render``: resolves the references inside a file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hygiene.cli.compose import compose, config_option, notice
from hygiene.errors import SourceError
from hygiene.fileio import PRIVATE_FILE, write_atomic
from hygiene.reference import find_references
from hygiene.secret import Secret
from hygiene.store.resolve import Resolver


@click.command()
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file (0600, atomically).")
@config_option
def command(file: str, output: str | None, config_path: str | None) -> None:
    """Write FILE (- is stdin) with its references replaced by their values, to stdout or -o."""
    text = _read(file)
    rendered = render(text, compose(config_path).resolver())
    if output is not None:
        write_atomic(Path(output), rendered.reveal(), mode=PRIVATE_FILE)
        notice(f"wrote {output}")
        return
    sys.stdout.buffer.write(rendered.reveal())
    sys.stdout.buffer.flush()


def render(text: bytes, resolver: Resolver) -> Secret:
    """Replace each reference in ``text`` by its value; all resolve, or nothing is given."""
    parts, position = [], 0
    for start, end, reference in find_references(text):
        parts += [Secret(text[position:start]), resolver.resolve(reference)]
        position = end
    return Secret(b"".join([*(part.reveal() for part in parts), text[position:]]))


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}") from error
