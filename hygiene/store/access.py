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


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*|\?)", glob)
    meanings = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meanings.get(part, re.escape(part)) for part in parts) + r"\Z")


def covers(glob: str, name: str) -> bool:
    """Say whether ``glob`` covers ``name``: ``*`` and ``?`` stay within a part, ``**`` crosses them."""
    return _pattern(glob).match(name) is not None


def granting_roles(roles: Iterable[Role], verbs: Collection[str], name: str) -> Iterator[Role]:
    """Give the roles that allow one of ``verbs`` on ``name``."""
    for role in roles:
        if any(verb in verbs for verb in role.may) and any(covers(glob, name) for glob in role.paths):
            yield role


def members_allowed(roles: Iterable[Role], verbs: Collection[str], name: str) -> Sequence[str]:
    """Give the members that may do one of ``verbs`` to ``name``, each once, in the order of the roles."""
    return tuple(dict.fromkeys(m for role in granting_roles(roles, verbs, name) for m in role.members))
