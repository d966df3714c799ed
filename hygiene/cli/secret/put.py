"""``hygiene secret put`` and ``adopt``."""

from __future__ import annotations

import getpass
import sys
import uuid
from datetime import datetime
from pathlib import Path

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.errors import UsageError
from hygiene.moment import later, parse_duration, parse_moment
from hygiene.reference import check_name
from hygiene.secret import Secret
from hygiene.store.protocol import Expect

_READ_AT_MOST = 1 << 24  # far beyond what any store takes, so that a wrong file is refused and not loaded whole


@click.command()
@click.argument("name")
@click.argument("surplus", nargs=-1, metavar="")
@click.option("--file", "source", type=click.Path(dir_okay=False), help="Take every byte of this file.")
@click.option("--raw", is_flag=True, help="Keep a final newline of stdin.")
@click.option("--expires", metavar="TIME|DURATION", help="When it must not be used any more, such as 90d.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Something to know about it; repeatable.")
@click.option("--expect", metavar="VERSION|absent", help="Write only if this is the current version.")
@click.option("--adopt", is_flag=True, help="Take over a secret that something else made.")
@store_option
@config_option
def put(
    *,
    name: str,
    surplus: tuple[str, ...],
    source: str | None,
    raw: bool,
    expires: str | None,
    labels: tuple[str, ...],
    expect: str | None,
    adopt: bool,
    store_name: str,
    config_path: str | None,
) -> None:
    """Store a new version of NAME, from stdin, a prompt or --file; prints its reference."""
    check_name(name)
    if surplus:
        # Not repeated: it is most likely the value, which by now stands in the shell's history.
        raise UsageError(
            "a value is never an argument: every process on the machine can read it",
            hint=f"pipe it in, or run hygiene secret put {name} and type it; then clear the shell's history",
        )
    expires_at = parse_when(expires) if expires else None
    parsed = parse_labels(labels)
    store = compose(config_path).store(store_name)
    secret = read_value(name, source, raw=raw)
    if adopt and store.describe(name) is not None:
        store.adopt(name)
    version = store.put(
        name,
        secret,
        expect=_expectation(expect),
        token=str(uuid.uuid4()),
        expires=expires_at,
        labels=parsed,
    )
    notice(f"stored {name}, version {version.id}")
    click.echo(str(store.reference(name)))


def read_value(name: str, source: str | None, *, raw: bool) -> Secret:
    """Read the value for ``name`` from a file, a prompt on a terminal, or stdin (less one final newline)."""
    if source is not None:
        return Secret(_read_file(Path(source)))
    if sys.stdin.isatty():
        value = getpass.getpass(f"Value of {name}: ")
        if getpass.getpass("The same again: ") != value:
            raise UsageError("the two values differ; nothing was stored")
        return Secret.from_text(value)
    content = sys.stdin.buffer.read(_READ_AT_MOST)
    return Secret(content if raw else content.removesuffix(b"\n"))


def parse_when(text: str) -> datetime:
    """Read a moment, or a duration from now."""
    return later(parse_duration(text)) if text[-1:].isalpha() and "T" not in text else parse_moment(text)


def parse_labels(labels: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Read ``KEY=VALUE`` pairs."""
    pairs = []
    for label in labels:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise UsageError(f"not a label: {label!r}", hint="write --label KEY=VALUE")
        pairs.append((key, value))
    return tuple(sorted(dict(pairs).items()))


def _expectation(expect: str | None) -> str | Expect:
    if expect is None:
        return Expect.ANYTHING
    return Expect.ABSENT if expect == "absent" else expect


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_READ_AT_MOST)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


@click.command()
@click.argument("name")
@store_option
@config_option
def adopt(name: str, store_name: str, config_path: str | None) -> None:
    """Take over NAME, which something else made, so that hygiene may change it."""
    compose(config_path).store(store_name).adopt(check_name(name))
    notice(f"{name} is ours now")


COMMANDS = (put, adopt)
