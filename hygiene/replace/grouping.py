"""Equal values are one secret: grouping what rewriters found, and giving each group its names."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hygiene.replace.naming import secret_name, unique, variables_from
from hygiene.replace.objects import key_pair_names, object_and_field
from hygiene.replace.plan import Naming, Place
from hygiene.replace.rewriters.protocol import Change
from hygiene.secret import Secret

_Draft = tuple[Place, Change]


class _Taken(NamedTuple):
    """Names that are given away already."""

    variables: set[str]
    names: set[str]


class NamedSecret(NamedTuple):
    """A secret with its names, before its files are rewritten."""

    name: str
    secret: Secret
    variables: Mapping[Place, str]
    unlisted: frozenset[Place]  # places whose environment name has another value elsewhere

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it stands."""
        return tuple(self.variables)


def named_secrets(drafts: Sequence[_Draft], naming: Naming) -> list[NamedSecret]:
    """Group ``drafts`` by value and name each group; the same input gives the same names."""
    key = secrets.token_bytes(32)  # values are told apart by a keyed hash that lives as long as this call
    groups: dict[bytes, list[_Draft]] = {}
    for place, change in drafts:
        groups.setdefault(hashlib.blake2b(change.value.reveal(), key=key).digest(), []).append((place, change))
    owners = _owners(groups)
    pairs = key_pair_names(groups, naming)
    taken = _Taken(set(owners), {object_and_field(name)[0] for name in pairs.values()})
    named = []
    for value, group in groups.items():
        own = [hint for hint, owner in owners.items() if owner == value]
        one = _named(group, own, naming, taken, pairs.get(value, ""))
        taken.names.add(one.name)
        taken.variables.update(one.variables.values())
        named.append(one)
    return named


def _owners(groups: Mapping[bytes, Sequence[_Draft]]) -> dict[str, bytes]:
    """Give the environment names that files insist on; of two values for one name, the shorter path's wins."""
    claims = [
        (change.hint, len(place.path), place.path, place.start, value)
        for value, group in groups.items()
        for place, change in group
        if change.demanded
    ]
    owners: dict[str, bytes] = {}
    for hint, _, _, _, value in sorted(claims):
        owners.setdefault(hint, value)
    return owners


def _named(group: Sequence[_Draft], own: Sequence[str], naming: Naming, taken: _Taken, half: str) -> NamedSecret:
    """Name one secret; ``half`` is its name where it is a field of an object."""
    place, change = group[0]
    secret = change.value
    chosen = next((naming.chosen[item.id] for item, _ in group if item.id in naming.chosen), None)
    hints = [*own, *(item.hint for _, item in group)]
    proposals = own or variables_from(hints, place.rule, place.path, secret.reveal())
    proposal = next(
        (free for free in proposals if free not in taken.variables and free not in naming.manifest), proposals[0]
    )
    name = chosen[0] if chosen else half
    if not name:
        telling = secret_name(naming.project, _telling(proposal, hints, place, secret), secret.reveal())
        name = unique(telling, lambda free: free not in taken.names and _is_free(free, secret, naming), "-")
    reference = naming.reference_to(name)
    known = next((variable for variable, stored in naming.manifest.items() if stored == reference), None)
    own = [hint for hint in own if naming.manifest.get(hint, reference) == reference]
    if chosen and not own:
        variable = chosen[1]
    elif own or known:
        variable = own[0] if own else str(known)
    else:
        variable = unique(proposal, lambda free: free not in taken.variables and free not in naming.manifest, "_")
    variables = {item: draft.hint if draft.demanded else variable for item, draft in group}
    unlisted = frozenset(item for item, draft in group if draft.demanded and draft.hint not in own)
    return NamedSecret(name, secret, variables, unlisted)


def _telling(proposal: str, hints: Sequence[str], place: Place, secret: Secret) -> str:
    """Give a name for the store, which must not hold the value even where the environment name happens to."""
    raw = secret.reveal()
    return variables_from([proposal, *hints], place.rule, place.path, raw)[0]


def _is_free(name: str, secret: Secret, naming: Naming) -> bool:
    return name not in naming.stored or naming.stored[name] == secret
