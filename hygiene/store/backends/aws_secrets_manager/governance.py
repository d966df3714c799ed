"""Roles applied in IAM: one managed policy a role, attached to the members that are IAM roles or users."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from hygiene.config import Role
from hygiene.errors import ForeignSecretError
from hygiene.store.backends.aws_secrets_manager.client import bounded, translated
from hygiene.store.backends.aws_secrets_manager.policy import compile_policies, policy_name
from hygiene.store.backends.aws_secrets_manager.tags import OWNER_TAG
from hygiene.store.protocol import OWNER, AccessChange

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_MOST_VERSIONS = 5  # of a managed policy; the oldest makes room


class _Present(NamedTuple):
    arn: str
    document: Any
    ours: bool
    members: frozenset[str]  # "role/NAME", "user/NAME"


class Governance:
    """The policies of the secrets of one region below one prefix."""

    def __init__(self, region: str, prefix: str) -> None:
        """Work with IAM as AWS's own chain of credentials lets us."""
        self._region = region
        self._prefix = prefix

    def plan(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Tell which policies would be written, and whom they would be attached to or taken from."""
        return [change for change, _ in self._changes(_client(), roles)]

    def apply(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Write the policies and attach them; policies of roles that are gone are detached, not deleted."""
        client = _client()
        changes = self._changes(client, roles)
        for change, present in changes:
            with translated(f"{change.action} {change.object}", writes=True):
                _carry_out(client, change, present)
        if changes and any(change.action == "write-policy" for change, _ in changes):
            # A policy that was just made can be attached only now that it has an ARN.
            changes += [(change, None) for change in self.apply(roles)]
        return [change for change, _ in changes]

    def _changes(self, client: IAMClient, roles: Sequence[Role]) -> list[tuple[AccessChange, _Present | None]]:
        wanted = compile_policies(roles, self._region, self._prefix)
        present = self._present(client, policy_name(self._prefix, ""))
        changes: list[tuple[AccessChange, _Present | None]] = []
        for role in roles:
            name = policy_name(self._prefix, role.name)
            found = present.get(name)
            if found is not None and not found.ours:
                raise ForeignSecretError(f"the policy {name} was not made by us, so it is left alone")
            if found is None or found.document != json.loads(wanted[name]):
                changes.append((AccessChange("write-policy", name, wanted[name]), found))
            if found is not None:
                changes += _attachments(name, found, _members(role))
        for name, found in present.items():
            if name not in wanted and found.ours:
                changes += _attachments(name, found, frozenset())
        return changes

    def _present(self, client: IAMClient, prefix: str) -> Mapping[str, _Present]:
        found = {}
        with translated("list policies"):
            for page in client.get_paginator("list_policies").paginate(Scope="Local"):
                for policy in page["Policies"]:
                    if policy["PolicyName"].startswith(prefix):
                        found[policy["PolicyName"]] = _read(client, policy["Arn"], policy["DefaultVersionId"])
        return found


def _client() -> IAMClient:
    return bounded(boto3.session.Session().client("iam", region_name="us-east-1"))


def _read(client: IAMClient, arn: str, version: str) -> _Present:
    document = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    tags = {tag["Key"]: tag["Value"] for tag in client.list_policy_tags(PolicyArn=arn)["Tags"]}
    members = set()
    for page in client.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
        members |= {f"role/{entry['RoleName']}" for entry in page["PolicyRoles"]}
        members |= {f"user/{entry['UserName']}" for entry in page["PolicyUsers"]}
    return _Present(arn, document, tags.get(OWNER_TAG) == OWNER, frozenset(members))


def _members(role: Role) -> frozenset[str]:
    """Give the members that IAM knows: ``arn:aws:iam::ACCOUNT:role/NAME`` or ``…:user/NAME``."""
    kinds = {"role", "user"}
    found = set()
    for member in role.members:
        _, marker, path = member.partition(":iam::")
        kind, _, name = path.partition(":")[2].partition("/")
        if marker and kind in kinds:
            found.add(f"{kind}/{name.rpartition('/')[2]}")
    return frozenset(found)


def _attachments(name: str, found: _Present, wanted: frozenset[str]) -> list[tuple[AccessChange, _Present | None]]:
    new = [(AccessChange("add-member", f"{name}: {member}"), found) for member in sorted(wanted - found.members)]
    old = [(AccessChange("remove-member", f"{name}: {member}"), found) for member in sorted(found.members - wanted)]
    return [*new, *old]


def _carry_out(client: IAMClient, change: AccessChange, present: _Present | None) -> None:
    if change.action == "write-policy":
        if present is None:
            tags: Any = [{"Key": OWNER_TAG, "Value": OWNER}]
            client.create_policy(PolicyName=change.object, PolicyDocument=change.detail, Tags=tags)
            return
        _make_room(client, present.arn)
        client.create_policy_version(PolicyArn=present.arn, PolicyDocument=change.detail, SetAsDefault=True)
        return
    kind, _, name = change.object.rpartition(": ")[2].partition("/")
    adds = change.action == "add-member"
    arn = present.arn if present else ""
    if kind == "role":
        (client.attach_role_policy if adds else client.detach_role_policy)(RoleName=name, PolicyArn=arn)
    else:
        (client.attach_user_policy if adds else client.detach_user_policy)(UserName=name, PolicyArn=arn)


def _make_room(client: IAMClient, arn: str) -> None:
    versions = client.list_policy_versions(PolicyArn=arn)["Versions"]
    if len(versions) >= _MOST_VERSIONS:
        oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda version: version["CreateDate"])
        client.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
