"""``hygiene secret generate``."""

from __future__ import annotations

import uuid

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.cli.secret.put import parse_when
from hygiene.errors import UsageError
from hygiene.reference import check_name
from hygiene.secret import Secret
from hygiene.store.generate import ALPHABETS, KEY_KINDS, generate_key_pair, generate_passphrase, generate_text


@click.command()
@click.argument("name")
@click.option("--length", type=click.IntRange(1, 4096), default=32, show_default=True, help="Characters of a text.")
@click.option("--alphabet", type=click.Choice(tuple(ALPHABETS)), default="alphanumeric", show_default=True)
@click.option("--words", type=click.IntRange(1, 64), help="A passphrase of this many words instead.")
@click.option("--key-pair", type=click.Choice(KEY_KINDS), help="A key pair instead; the public key goes to stdout.")
@click.option("--expires", metavar="TIME|DURATION", help="When it must not be used any more, such as 90d.")
@store_option
@config_option
def generate(
    *,
    name: str,
    length: int,
    alphabet: str,
    words: int | None,
    key_pair: str | None,
    expires: str | None,
    store_name: str,
    config_path: str | None,
) -> None:
    """Make a random value and store it as NAME, unseen; prints its reference."""
    if words is not None and key_pair is not None:
        raise UsageError("--words and --key-pair exclude each other")
    secret, public = _generated(check_name(name), length, alphabet, words, key_pair)
    store = compose(config_path).store(store_name)
    version = store.put(name, secret, token=str(uuid.uuid4()), expires=parse_when(expires) if expires else None)
    notice(f"stored {name}, version {version.id}")
    click.echo(public or str(store.reference(name)))


def _generated(name: str, length: int, alphabet: str, words: int | None, kind: str | None) -> tuple[Secret, str]:
    if kind is not None:
        pair = generate_key_pair(kind, name)
        return pair.private, pair.public
    if words is not None:
        return generate_passphrase(words), ""
    return generate_text(length, alphabet), ""


COMMANDS = (generate,)
