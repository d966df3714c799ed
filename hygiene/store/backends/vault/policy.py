"""The roles as Vault policies, ``hygiene-MOUNT-PREFIX-ROLE`` each, that together allow what the model allows.

Vault takes the most specific path of all policies of a token and forgets the others; the model adds roles up.
So each policy also names the more specific paths of other roles, and every intersection of paths, that it covers.
A pattern that Vault can't express exactly is refused rather than widened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hygiene.config import Role
from hygiene.errors import ConfigError

PREFIX = "hygiene-"
MARK = "Made by hygiene access apply"


class Pattern(NamedTuple):
    """A path of Vault: segments, each literal or ``+``, and whether anything may follow."""

    segments: tuple[str, ...]
    tail: bool

    def text(self) -> str:
        """Give it as Vault writes it."""
        return "/".join((*self.segments, "*")) if self.tail else "/".join(self.segments)

    def covers(self, other: Pattern) -> bool:
        """Say whether all that ``other`` means is meant by this, too."""
        return _intersection(self, other) == other


class Place(NamedTuple):
    """Where the names begin: the mount, and the prefix with a final slash or empty."""

    mount: str
    prefix: str

    def policy_prefix(self) -> str:
        """Give what the names of this place's policies begin with."""
        return PREFIX + "".join(f"{part}-" for part in f"{self.mount}/{self.prefix}".split("/") if part)

    def mark(self) -> str:
        """Give what the text of this place's policies, and of no other's, holds."""
        return f"{MARK} for {self.mount}/{self.prefix};"


def compile_policies(roles: Sequence[Role], place: Place) -> dict[str, str]:
    """Give the policies by name, in Vault's language; raises :class:`ConfigError` for what it can't express."""
    own = {role.name: [_pattern(role.name, glob) for glob in role.paths] for role in roles}
    closure = _closed({pattern for patterns in own.values() for pattern in patterns})
    policies = {}
    for role in roles:
        covered = [p for p in closure if any(mine.covers(p) for mine in own[role.name])]
        lines = [f"# Role {role.name}: {', '.join(role.may)}. {place.mark()} changes by hand are overwritten."]
        for path, capabilities in sorted(_rules(role, sorted(covered), place).items()):
            listed = ", ".join(f'"{capability}"' for capability in sorted(capabilities))
            lines.append(f'path "{path}" {{ capabilities = [{listed}] }}')
        policies[place.policy_prefix() + role.name] = "\n".join(lines) + "\n"
    return policies


def _rules(role: Role, patterns: Sequence[Pattern], place: Place) -> dict[str, set[str]]:
    rules: dict[str, set[str]] = {}
    for pattern in patterns:
        for verb in role.may:
            for path, capabilities in _verb_rules(verb, pattern, place):
                rules.setdefault(path, set()).update(capabilities)
    if "grant" in role.may:
        rules[_grant_rule(role, place)] = {"create", "read", "update", "delete"}
    if "read" in role.may or "rotate" in role.may:
        # Names are not secret in Vault: a listing shows all of a folder whatever the policy.
        rules.setdefault(f"{place.mount}/metadata/{place.prefix}*", set()).add("list")
        _spread_list(rules, place)
    return rules


def _verb_rules(verb: str, pattern: Pattern, place: Place) -> Iterator[tuple[str, tuple[str, ...]]]:
    path = place.prefix + pattern.text()
    data, metadata = f"{place.mount}/data/{path}", f"{place.mount}/metadata/{path}"
    beside = f"@pending/{path}"
    if verb in ("read", "rotate"):
        yield data, ("read",)
        yield metadata, ("read",)
    if verb in ("write", "rotate"):
        yield data, ("create", "update", "patch")
        yield metadata, ("create", "read", "update", "patch")
        yield f"{place.mount}/data/{beside}", ("create", "update")
        yield f"{place.mount}/metadata/{beside}", ("create", "read", "update", "patch")
    if verb == "rotate":
        yield f"{place.mount}/data/{beside}", ("read",)
        yield f"{place.mount}/metadata/{beside}", ("delete",)
    if verb == "delete":
        yield f"{place.mount}/delete/{path}", ("update",)
        yield f"{place.mount}/undelete/{path}", ("update",)
        yield metadata, ("read", "patch", "delete")


def _grant_rule(role: Role, place: Place) -> str:
    if "**" not in role.paths:
        raise ConfigError(
            f"roles.{role.name}: Vault can't let someone grant only {', '.join(role.paths)}",
            hint='grant on ["**"] becomes the right to change these policies; or leave it out',
        )
    return f"sys/policies/acl/{place.policy_prefix()}*"


def _spread_list(rules: dict[str, set[str]], place: Place) -> None:
    """Add the list capability to the more specific paths, which would hide it."""
    for path, capabilities in rules.items():
        if path.startswith(f"{place.mount}/metadata/{place.prefix}"):
            capabilities.add("list")


def _pattern(role: str, glob: str) -> Pattern:
    segments = glob.split("/")
    tail = segments[-1] == "**"
    kept = segments[:-1] if tail else segments
    if any(("*" in part and part != "*") or "?" in part or part == "+" for part in kept):
        raise ConfigError(
            f"roles.{role}.paths: Vault can't express {glob!r} exactly",
            hint="use whole parts: * for one part, and ** at the end for all below",
        )
    return Pattern(tuple("+" if part == "*" else part for part in kept), tail)


def _closed(patterns: set[Pattern]) -> set[Pattern]:
    """Add every intersection, until there is no new one."""
    found = set(patterns)
    while True:
        new = {_intersection(one, two) for one in found for two in found} - {None} - found
        if not new:
            return found
        found |= {pattern for pattern in new if pattern is not None}


def _intersection(one: Pattern, two: Pattern) -> Pattern | None:
    """Give what both mean, or None where that is nothing."""
    if len(one.segments) > len(two.segments):
        one, two = two, one
    if len(one.segments) < len(two.segments) and not one.tail:
        return None
    if len(one.segments) == len(two.segments) and one.tail != two.tail:
        return None  # "a" and what is below "a"
    shared = []
    for mine, other in zip(one.segments, two.segments, strict=False):
        if mine != other and "+" not in (mine, other):
            return None
        shared.append(other if mine == "+" else mine)
    return Pattern((*shared, *two.segments[len(one.segments) :]), two.tail)
