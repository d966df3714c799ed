"""Several values in one stored object: ``NAME#FIELD`` names a field of the object that the store has as ``NAME``.

A key of AWS is an id and a secret that are made, used and revoked together. Where both are found side by side they
become one object, which is replaced at once when it is rotated; the code gets a reference to each field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial

from hygiene.errors import UsageError
from hygiene.fields import fields_of
from hygiene.reference import check_name
from hygiene.replace.naming import secret_name, unique, variables_from
from hygiene.replace.plan import Naming, Place
from hygiene.replace.rewriters.protocol import Change
from hygiene.secret import Secret

_ID_RULE, _SECRET_RULES = "aws-access-key-id", "aws-secret"
ID, SECRET = "id", "secret"
_APART = 5  # lines; an id and a secret further apart need not be one key
_FIELD = re.compile(r"[A-Za-z0-9_.\-]{1,64}\Z")

Groups = Mapping[bytes, Sequence[tuple[Place, Change]]]  # drafts by what stands for their value


def object_and_field(name: str) -> tuple[str, str]:
    """Part ``NAME#FIELD``; the field is empty for a secret that is a whole value."""
    stored, _, field = name.partition("#")
    return stored, field


def check_object_name(name: str) -> str:
    """Give ``name``, with or without a field, back if it may name a secret; raises :class:`UsageError` otherwise."""
    stored, field = object_and_field(name)
    check_name(stored)
    if ("#" in name or field) and not _FIELD.match(field):
        raise UsageError(f"not a field of a secret: {field!r}", hint="write NAME#FIELD, or NAME for a whole value")
    return name


def joined(values: Mapping[str, Secret]) -> Secret:
    """Give what the store keeps for ``values`` by field; a whole value has the field ""."""
    if list(values) == [""]:
        return values[""]
    fields = {field: values[field].reveal().decode() for field in sorted(values)}
    return Secret.from_text(json.dumps(fields))


def field_of(stored: Secret, field: str) -> Secret | None:
    """Give a field of a stored object, or the whole value for the field ""; None where there is no such field."""
    if not field:
        return stored
    value = (fields_of(stored) or {}).get(field)
    return Secret.from_text(value) if isinstance(value, str) else None


def key_pair_names(groups: Groups, naming: Naming) -> dict[bytes, str]:
    """Name the halves of keys that stand side by side, by what stands for their values."""
    names: dict[bytes, str] = {}
    taken: set[str] = set()
    for id_group, secret_group in _pairs(groups):
        values = {ID: groups[id_group][0][1].value, SECRET: groups[secret_group][0][1].value}
        name = unique(
            _proposed(groups[id_group], naming), partial(_is_free, values=values, naming=naming, taken=taken), "-"
        )
        taken.add(name)
        names |= {id_group: f"{name}#{ID}", secret_group: f"{name}#{SECRET}"}
    return names


def _proposed(group: Sequence[tuple[Place, Change]], naming: Naming) -> str:
    place, change = group[0]
    hints = [item.hint for _, item in group]
    raw = change.value.reveal()
    variable = variables_from(hints, place.rule, place.path, raw)[0].removesuffix("_ID")
    return secret_name(naming.project, variable, raw)


def _is_free(name: str, *, values: Mapping[str, Secret], naming: Naming, taken: Container[str]) -> bool:
    if name in taken or name not in naming.stored:
        return name not in taken
    stored = naming.stored[name]
    return stored is not None and all(field_of(stored, field) == value for field, value in values.items())


def _pairs(groups: Groups) -> Iterator[tuple[bytes, bytes]]:
    """Give the values that are id and secret of one key wherever they stand near each other."""
    places: dict[str, list[tuple[int, str, bytes]]] = {}
    for group, drafts in groups.items():
        for place, _ in drafts:
            half = ID if place.rule == _ID_RULE else SECRET if place.rule.startswith(_SECRET_RULES) else ""
            if half:
                places.setdefault(place.path, []).append((place.line, half, group))
    partners: dict[bytes, set[bytes]] = {}
    for found in places.values():
        for line, half, group in found:
            near = [(abs(line - other), partner) for other, kind, partner in found if kind != half]
            distance, partner = min(near, default=(_APART + 1, b""))
            if distance <= _APART:
                partners.setdefault(group, set()).add(partner)
    ids = {group for found in places.values() for _, half, group in found if half == ID}
    for group in groups:
        if group in ids and len(partners.get(group, ())) == 1:
            [partner] = partners[group]
            if partners.get(partner) == {group}:
                yield group, partner
