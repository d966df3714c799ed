"""The members ``oidc:SUBJECT`` of a role as a role of the JWT auth method, bound to exactly these subjects.

A CI's identity token opens then what the role's policy allows, and for a quarter of an hour. Only whole subjects are
taken: a pattern, or a repository without its branch or environment, would let in pull requests of anybody.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from hygiene.config import Role
from hygiene.errors import ConfigError

_MEMBER = "oidc:"
_SECONDS = 900
_DEFAULT_MOUNT, _DEFAULT_AUDIENCE = "jwt", "hygiene"


def login_mount() -> str:
    """Name where the JWT auth method is mounted (``VAULT_AUTH_PATH``)."""
    return os.environ.get("VAULT_AUTH_PATH") or os.environ.get("BAO_AUTH_PATH") or _DEFAULT_MOUNT


def audience() -> str:
    """Name what an identity token must be meant for (``VAULT_JWT_AUDIENCE``): one of our own opens nothing else."""
    return os.environ.get("VAULT_JWT_AUDIENCE", _DEFAULT_AUDIENCE)


def compile_logins(roles: Sequence[Role], policy_prefix: str) -> dict[str, dict[str, Any]]:
    """Give the JWT roles by name, for the roles that have members ``oidc:…``; ConfigError for a subject not whole."""
    logins = {}
    for role in roles:
        subjects = sorted({_subject(role, text) for text in role.members if text.startswith(_MEMBER)})
        if subjects:
            name = policy_prefix + role.name
            logins[name] = {
                "role_type": "jwt",
                "user_claim": "sub",
                "bound_audiences": [audience()],
                "bound_claims": {"sub": subjects},
                "bound_claims_type": "string",  # no globs
                "token_policies": [name],
                "token_no_default_policy": True,
                "token_ttl": _SECONDS,
                "token_max_ttl": _SECONDS,
            }
    return logins


def _subject(role: Role, member: str) -> str:
    subject = member.removeprefix(_MEMBER)
    where = f"roles.{role.name}.members"
    if not subject or "*" in subject or subject.split() != [subject]:
        raise ConfigError(f"{where}: {member!r} is no whole subject", hint="name each one; patterns are not taken")
    if subject.startswith("repo:") and subject.count(":") < 2:
        raise ConfigError(
            f"{where}: {member!r} names no branch or environment, so any workflow of the repository would be meant",
            hint=f"write oidc:{subject}:ref:refs/heads/main, or oidc:{subject}:environment:production",
        )
    return subject
