"""The roles as IAM policy documents, one a role. IAM's ``*`` crosses slashes, so a pattern for one part is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hygiene.config import Role
from hygiene.errors import ConfigError
from hygiene.store.backends.aws_secrets_manager.names import aws_name

PREFIX = "hygiene-"
_LOOKING = ("DescribeSecret", "ListSecretVersionIds")
_ACTIONS = {
    "read": (*_LOOKING, "GetSecretValue"),
    "write": (
        *_LOOKING,
        "CreateSecret",
        "PutSecretValue",
        "UpdateSecretVersionStage",
        "TagResource",
        "UntagResource",
    ),
    "delete": (*_LOOKING, "DeleteSecret", "RestoreSecret"),
    "grant": ("GetResourcePolicy", "PutResourcePolicy", "ValidateResourcePolicy", "DeleteResourcePolicy"),
}
_ACTIONS["rotate"] = tuple(dict.fromkeys((*_ACTIONS["read"], *_ACTIONS["write"])))
_SUFFIX = "-??????"  # what AWS adds to a name in an ARN


def compile_policies(roles: Sequence[Role], region: str, prefix: str) -> dict[str, str]:
    """Give the policy documents by name, as JSON; raises :class:`ConfigError` for what IAM can't express."""
    return {
        policy_name(region, prefix, role.name): json.dumps(_document(role, region, prefix), indent=2) for role in roles
    }


def policy_name(region: str, prefix: str, role: str) -> str:
    """Give the name of the policy of ``role`` for the secrets of ``region`` below ``prefix``."""
    return PREFIX + "".join(f"{part}-" for part in (region, *prefix.split("/")) if part) + role


def actions_of(role: Role) -> list[str]:
    """Give the actions that the verbs of ``role`` are in IAM."""
    return sorted({f"secretsmanager:{action}" for verb in role.may for action in _ACTIONS[verb]})


def _document(role: Role, region: str, prefix: str) -> dict[str, Any]:
    arns = [f"arn:aws:secretsmanager:{region or '*'}:*:secret:{prefix}{path}" for path in _resources(role)]
    statements = [{"Sid": "Secrets", "Effect": "Allow", "Action": actions_of(role), "Resource": arns}]
    if {"read", "rotate"} & set(role.may):
        # Listing can't be limited to some secrets in IAM; it shows names and tags, no values.
        statements.append(
            {"Sid": "List", "Effect": "Allow", "Action": ["secretsmanager:ListSecrets"], "Resource": ["*"]}
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _resources(role: Role) -> Iterator[str]:
    for glob in role.paths:
        start, star, rest = glob.partition("**")
        if rest or "*" in start or "?" in start or (star and start and not start.endswith("/")):
            raise ConfigError(
                f"roles.{role.name}.paths: IAM can't express {glob!r} exactly",
                hint="name a secret, or all below a path by /** at its end",
            )
        yield f"{start}*" if star else aws_name(glob) + _SUFFIX
