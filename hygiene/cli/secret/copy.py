"""``hygiene secret copy``."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import NamedTuple

import click

from hygiene.cli.compose import Composition, compose, config_option, notice
from hygiene.errors import NotFoundError, StoreError, UsageError
from hygiene.reference import Reference, parse_reference
from hygiene.store.protocol import CURRENT, Store, StoredSecret, Version

_TOKENS = uuid.UUID("5f4f0f3a-6f0e-5c1d-9a52-6f9b5f1d3c77")  # namespace of the tokens of copies


class _Copy(NamedTuple):
    source: Store
    target: Store
    told: StoredSecret
    target_name: str
    versions: tuple[Version, ...]  # oldest first, the current one last

    @property
    def line(self) -> str:
        count = len(self.versions)
        there = " (exists: a version is added)" if self.target.describe(self.target_name) else ""
        return f"{self.told.reference} -> {self.target.reference(self.target_name)}, {count} version(s){there}"


@click.command()
@click.argument("source", metavar="REF")
@click.argument("target", metavar="REF")
@click.option("--apply", is_flag=True, help="Do it; without, only tell what would be done.")
@config_option
def copy(source: str, target: str, apply: bool, config_path: str | None) -> None:
    """Copy a secret, or all below a path that ends in a slash, from one store to another.

    Versions are kept where both stores have them. Doing it again adds nothing.
    """
    composition = compose(config_path)
    copies = list(_planned(composition, parse_reference(source), parse_reference(target)))
    if not copies:
        raise NotFoundError(f"there is nothing at {source}")
    for one in copies:
        click.echo(one.line)
        if apply:
            _carry_out(one)
    notice(f"copied {len(copies)}" if apply else f"would copy {len(copies)}; add --apply to do it")


def _planned(composition: Composition, source: Reference, target: Reference) -> Iterator[_Copy]:
    if source.path.endswith("/") != target.path.endswith("/"):
        raise UsageError("both paths end in a slash (all below), or neither does")
    old, new = composition.store_of(source), composition.store_of(target)
    if not new.capabilities.writable:
        raise StoreError(f"{new.uri} can only be read")
    for store, reference in ((old, source), (new, target)):
        # Where a whole value is a field, as in Vault, references carry it.
        if reference.field and reference.field != store.reference(_name(store, reference)).field:
            raise UsageError("a copy takes whole values: drop the #/field")
    start, goal = _name(old, source), _name(new, target)
    if not source.path.endswith("/"):
        told = old.describe(start)
        if told is None:
            raise NotFoundError(f"there is no secret at {source}")
        yield _Copy(old, new, told, goal, _versions(old, new, told))
        return
    for told in old.list(start + "/"):
        if told.deleted is None and told.staged(CURRENT) is not None:
            yield _Copy(old, new, told, goal + told.name.removeprefix(start), _versions(old, new, told))


def _name(store: Store, reference: Reference) -> str:
    return store.name_of(reference._replace(path=reference.path.rstrip("/")))


def _versions(old: Store, new: Store, told: StoredSecret) -> tuple[Version, ...]:
    current = told.staged(CURRENT)
    if current is None or told.deleted is not None:
        raise NotFoundError(f"{told.name} has no current version to copy")
    if not (old.capabilities.versions and new.capabilities.versions):
        return (current,)
    former = [version for version in reversed(told.versions) if version.created <= current.created]
    return (*(version for version in former if version.id != current.id), current)


def _carry_out(one: _Copy) -> None:
    for version in one.versions:
        secret = one.source.get(one.told.name, version=version.id if one.source.capabilities.versions else None)
        token = str(uuid.uuid5(_TOKENS, f"{one.told.reference}\0{version.id}\0{one.target_name}"))
        one.target.put(one.target_name, secret, token=token, expires=version.expires, labels=one.told.labels)
    if one.target.get(one.target_name) != secret:
        raise StoreError(
            f"{one.target_name} does not read back as it was written",
            hint="someone else wrote it since; the source is unchanged",
        )


COMMANDS = (copy,)
