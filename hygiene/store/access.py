"""The access model: which role lets whom do what to which secrets. Deny is the default.

Pure decisions; the embedded store enforces them by cryptography, and the compilers beside the managed
stores turn them into each store's own policy language.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache

from hygiene.config import Role

VERBS = ("read", "write", "rotate", "delete", "grant")
READING = frozenset({"read", "rotate"})  # a rotation logs in with the old value
WRITING = frozenset({"write", "rotate"})
DELETING = frozenset({"delete"})


_MOST_STARS = 2  # that the regular expressions of Python take in good time
_PARTS = re.compile(r"(\*\*|\*|\?)")


def covers(glob: str, name: str) -> bool:
    """Say whether ``glob`` covers ``name``: ``*`` and ``?`` stay within a part, ``**`` crosses them."""
    pattern = _pattern(glob)
    return pattern.match(name) is not None if pattern else _walked(_PARTS.split(glob), name)


@cache
def _pattern(glob: str) -> re.Pattern[str] | None:
    """Compile ``glob``; None where a name could be made that its expression tries in too many ways."""
    parts = _PARTS.split(glob)
    if sum(part in ("**", "*") for part in parts) > _MOST_STARS:
        return None
    meanings = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meanings.get(part, re.escape(part)) for part in parts) + r"\Z", re.DOTALL)


def _walked(parts: Sequence[str], name: str) -> bool:
    """Match by the set of places where a part may begin: slower, and never much slower."""
    places = {0}
    for part in parts:
        if part == "**":
            places = set(range(min(places), len(name) + 1))
        elif part == "*":
            places = {end for start in places for end in range(start, _end_of_part(name, start) + 1)}
        elif part == "?":
            places = {start + 1 for start in places if start < len(name) and name[start] != "/"}
        else:
            places = {start + len(part) for start in places if name.startswith(part, start)}
        if not places:
            return False
    return len(name) in places


def _end_of_part(name: str, start: int) -> int:
    end = name.find("/", start)
    return len(name) if end < 0 else end


def granting_roles(roles: Iterable[Role], verbs: Collection[str], name: str) -> Iterator[Role]:
    """Give the roles that allow one of ``verbs`` on ``name``."""
    for role in roles:
        if any(verb in verbs for verb in role.may) and any(covers(glob, name) for glob in role.paths):
            yield role


def members_allowed(roles: Iterable[Role], verbs: Collection[str], name: str) -> Sequence[str]:
    """Give the members that may do one of ``verbs`` to ``name``, each once, in the order of the roles."""
    return tuple(dict.fromkeys(m for role in granting_roles(roles, verbs, name) for m in role.members))
