"""Roles applied in AWS: one managed policy a role, attached to the members of our account that are IAM roles or users;
members of other accounts are let in by the secrets' own resource policies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.exceptions import ClientError

from hygiene.config import Role
from hygiene.errors import ForeignSecretError, StoreError
from hygiene.store.backends.aws_secrets_manager.client import bounded, code_of, translated
from hygiene.store.backends.aws_secrets_manager.members import entities_of
from hygiene.store.backends.aws_secrets_manager.policy import compile_policies, policy_name
from hygiene.store.backends.aws_secrets_manager.resources import ResourcePolicies
from hygiene.store.backends.aws_secrets_manager.tags import OWNER_TAG
from hygiene.store.backends.aws_secrets_manager.trust import loose_trusts
from hygiene.store.protocol import OWNER, AccessChange

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

PLACE_TAG = "hygiene:place"  # the region and prefix that a policy is for
_MOST_VERSIONS = 5  # of a managed policy; the oldest makes room


class _Present(NamedTuple):
    arn: str
    document: Any
    ours: bool
    place: str
    members: frozenset[str]  # "role/NAME", "user/NAME"


class Governance:
    """The policies of the secrets of one region below one prefix."""

    def __init__(self, region: str, prefix: str, resources: ResourcePolicies) -> None:
        """Work with IAM as AWS's own chain of credentials lets us, and by ``resources`` on the secrets themselves."""
        self._region = region
        self._prefix = prefix
        self._place = f"{region}/{prefix}"
        self._resources = resources

    def plan(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Tell which policies would be written, and whom they would be attached to or taken from."""
        account = _account()
        changes = [change for change, _ in self._changes(_client("iam"), roles, account)]
        return [*changes, *self._resources.plan(roles, account)]

    def check(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Tell what differs, and which members a token of CI opens without its whole subject."""
        account, client = _account(), _client("iam")
        entities = sorted({entity for role in roles for entity in entities_of(role, account)})
        loose = [
            AccessChange("loose-trust", entity, said)
            for entity in entities
            for said in loose_trusts(_trust(client, entity))
        ]
        return [*self.plan(roles), *loose]

    def apply(self, roles: Sequence[Role]) -> list[AccessChange]:
        """Write the policies and attach them; policies of roles that are gone are detached, not deleted."""
        account = _account()
        resources = list(self._resources.plan(roles, account))  # what is refused there is refused before anything
        done = self._apply_policies(_client("iam"), roles, account)
        for change in resources:
            self._resources.carry_out(change)
        return [*done, *resources]

    def _apply_policies(self, client: IAMClient, roles: Sequence[Role], account: str) -> list[AccessChange]:
        changes = self._changes(client, roles, account)
        for change, present in changes:
            with translated(f"{change.action} {change.object}", writes=True):
                self._carry_out(client, change, present)
        done = [change for change, _ in changes]
        # A policy that was just made can be attached only now that it has an ARN.
        again = any(change.action == "write-policy" for change in done)
        return [*done, *self._apply_policies(client, roles, account)] if again else done

    def _changes(
        self, client: IAMClient, roles: Sequence[Role], account: str
    ) -> list[tuple[AccessChange, _Present | None]]:
        wanted = compile_policies(roles, self._region, self._prefix)
        present = self._present(client, policy_name(self._region, self._prefix, ""))
        changes: list[tuple[AccessChange, _Present | None]] = []
        for role in roles:
            name = policy_name(self._region, self._prefix, role.name)
            found = present.get(name)
            if found is not None and (not found.ours or found.place != self._place):
                whose = f"belongs to the store {found.place!r}" if found.ours else "was not made by us"
                raise ForeignSecretError(f"the policy {name} {whose}, so it is left alone", hint="rename the role")
            if found is None or found.document != json.loads(wanted[name]):
                changes.append((AccessChange("write-policy", name, wanted[name]), found))
            if found is not None:
                changes += _attachments(name, found, entities_of(role, account))
        for name, found in present.items():
            # A store below or beside this one has policies whose names begin alike.
            if name not in wanted and found.ours and found.place == self._place:
                changes += _attachments(name, found, frozenset())
        return changes

    def _carry_out(self, client: IAMClient, change: AccessChange, present: _Present | None) -> None:
        if change.action == "write-policy":
            if present is None:
                tags: Any = [{"Key": OWNER_TAG, "Value": OWNER}, {"Key": PLACE_TAG, "Value": self._place}]
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

    def _present(self, client: IAMClient, prefix: str) -> Mapping[str, _Present]:
        found = {}
        with translated("list policies"):
            for page in client.get_paginator("list_policies").paginate(Scope="Local"):
                for policy in page["Policies"]:
                    if policy["PolicyName"].startswith(prefix):
                        found[policy["PolicyName"]] = _read(client, policy["Arn"], policy["DefaultVersionId"])
        return found


def _client(service: Any) -> Any:
    return bounded(boto3.session.Session().client(service, region_name="us-east-1"))


def _trust(client: IAMClient, entity: str) -> Mapping[str, Any]:
    kind, _, name = entity.partition("/")
    if kind != "role":
        return {}
    try:
        with translated(f"look at the role {name}"):
            document: Any = client.get_role(RoleName=name)["Role"].get("AssumeRolePolicyDocument", {})
    except StoreError as error:
        if isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == "NoSuchEntity":
            return {}  # that it can't be attached to is told by the plan
        raise
    return document if isinstance(document, dict) else {}


def _account() -> str:
    """Name the account that we work in: a member of another one must not be taken for its namesake here."""
    with translated("ask AWS who we are"):
        return str(_client("sts").get_caller_identity()["Account"])


def _read(client: IAMClient, arn: str, version: str) -> _Present:
    document = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    tags = {tag["Key"]: tag["Value"] for tag in client.list_policy_tags(PolicyArn=arn)["Tags"]}
    members = set()
    for page in client.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
        members |= {f"role/{entry['RoleName']}" for entry in page["PolicyRoles"]}
        members |= {f"user/{entry['UserName']}" for entry in page["PolicyUsers"]}
    return _Present(arn, document, tags.get(OWNER_TAG) == OWNER, tags.get(PLACE_TAG, ""), frozenset(members))


def _attachments(name: str, found: _Present, wanted: frozenset[str]) -> list[tuple[AccessChange, _Present | None]]:
    new = [(AccessChange("add-member", f"{name}: {member}"), found) for member in sorted(wanted - found.members)]
    old = [(AccessChange("remove-member", f"{name}: {member}"), found) for member in sorted(found.members - wanted)]
    return [*new, *old]


def _make_room(client: IAMClient, arn: str) -> None:
    versions = client.list_policy_versions(PolicyArn=arn)["Versions"]
    if len(versions) >= _MOST_VERSIONS:
        oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda version: version["CreateDate"])
        client.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
