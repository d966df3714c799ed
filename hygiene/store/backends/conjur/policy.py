"""The roles in Conjur's policy language, one group a role; pure.

Conjur knows no patterns: a role's group is permitted each variable that its paths cover now, and applying the roles
again takes in what was stored since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

from hygiene.config import Role
from hygiene.errors import ConfigError
from hygiene.store.access import covers
from hygiene.store.protocol import OWNER

PREFIX = "hygiene-"
MARK = "hygiene/policy"  # annotation of a group: the digest of the text that made it
_PRIVILEGES = {
    "read": ("read", "execute"),
    "write": ("read", "update"),
    "rotate": ("read", "execute", "update"),
}
_MEMBER = "conjur:"
_KINDS = ("host", "user", "group")


def compile_policies(roles: Sequence[Role], variables: Iterable[str], owner_note: str) -> dict[str, str]:
    """Give the policy of each role by its group's name; raises :class:`ConfigError` for what Conjur can't express.

    ``variables`` are the ids of the branch's variables, as seen from the branch.
    """
    known = sorted(variables)
    return {PREFIX + role.name: _policy(role, known, owner_note) for role in roles}


def _policy(role: Role, variables: Sequence[str], owner_note: str) -> str:
    excess = [verb for verb in role.may if verb not in _PRIVILEGES]
    if excess:
        raise ConfigError(
            f"roles.{role.name}.may: in Conjur nobody is let {' or '.join(excess)} single variables",
            hint="it is the right to change the branch's policy: permit it on the !policy in the branch's parent",
        )
    privileges = list(dict.fromkeys(p for verb in role.may for p in _PRIVILEGES[verb]))
    body = "".join(_grants(role)) + _permits(role, privileges, variables)
    mark = hashlib.sha256(body.encode()).hexdigest()[:32]
    group = f"- !group\n  id: {_text(PREFIX + role.name)}\n  annotations:\n"
    notes = {owner_note: OWNER, MARK: mark}
    return group + "".join(f"    {_text(key)}: {_text(value)}\n" for key, value in notes.items()) + body


def mark_of(policy: str) -> str:
    """Give the mark that ``policy`` puts on its group."""
    return policy.partition(f"{_text(MARK)}: ")[2].partition("\n")[0].strip('"')


def deletion(group: str) -> str:
    """Give the policy that deletes ``group``, with all that it was granted and permitted."""
    return f"- !delete\n  record: !group {_text(group)}\n"


def _grants(role: Role) -> Iterator[str]:
    members = [member.removeprefix(_MEMBER) for member in role.members if member.startswith(_MEMBER)]
    for member in members:
        kind, _, name = member.partition("/")
        if kind not in _KINDS or not name:
            raise ConfigError(
                f"roles.{role.name}.members: {_MEMBER}{member} is nobody in Conjur",
                hint=f"write {_MEMBER}host/ID, {_MEMBER}user/ID or {_MEMBER}group/ID",
            )
        yield f"- !grant\n  role: !group {_text(PREFIX + role.name)}\n  member: !{kind} {_text('/' + name)}\n"


def _permits(role: Role, privileges: Sequence[str], variables: Sequence[str]) -> str:
    covered = [name for name in variables if _is_covered(role, name)]
    if not covered:
        return ""
    listed = "".join(f"    - !variable {_text(name)}\n" for name in covered)
    head = f"- !permit\n  role: !group {_text(PREFIX + role.name)}\n"
    return f"{head}  privileges: [{', '.join(privileges)}]\n  resources:\n{listed}"


def _is_covered(role: Role, variable: str) -> bool:
    name, _, stage = variable.partition("@")
    # What is pending is nobody's business who only reads.
    may = stage != "pending" or bool({"write", "rotate"} & set(role.may))
    return may and any(covers(glob, name) for glob in role.paths)


def _text(text: str) -> str:
    return json.dumps(text)
