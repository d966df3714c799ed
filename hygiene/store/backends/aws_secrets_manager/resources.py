"""The roles as resource policies of secrets: what lets members of other accounts in, whom no policy of ours reaches.

Each is validated by AWS, and public access is blocked. A policy that someone else wrote is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hygiene.config import Role
from hygiene.errors import ConfigError, ForeignSecretError, StoreError
from hygiene.store.access import covers
from hygiene.store.backends.aws_secrets_manager.client import translated
from hygiene.store.backends.aws_secrets_manager.lookup import Lookup
from hygiene.store.backends.aws_secrets_manager.members import strangers_of
from hygiene.store.backends.aws_secrets_manager.policy import actions_of
from hygiene.store.backends.aws_secrets_manager.tags import facts_of
from hygiene.store.protocol import OWNER, AccessChange

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

WRITE, REMOVE = "write-resource-policy", "remove-resource-policy"
_ID = "hygiene-access"  # of a policy that is ours
_LONGEST = 20_480
_CREATING = "secretsmanager:CreateSecret"  # there is nothing to create where a secret has a policy


class ResourcePolicies:
    """The policies of the secrets below one prefix."""

    def __init__(self, client: SecretsManagerClient, lookup: Lookup) -> None:
        """Work by ``client`` on what ``lookup`` finds."""
        self._client = client
        self._lookup = lookup

    def plan(self, roles: Sequence[Role], account: str) -> Iterator[AccessChange]:
        """Tell which policies :meth:`carry_out` would write or remove, ``account`` being the secrets' own."""
        for name, found in sorted(self._lookup.all(""), key=lambda pair: pair[0]):
            if (
                found.get("DeletedDate")
                or facts_of(found.get("Tags", []), found.get("OwningService", "")).owner != OWNER
            ):
                continue
            wanted = compile_resource_policy(roles, name, account)
            present = self._present(name, found["Name"])
            ours = present is None or present.get("Id") == _ID
            if wanted is not None and not ours:
                raise ForeignSecretError(
                    f"{name} has a resource policy that was not made by us, so it is left alone",
                    hint="merge it by hand, or remove it; hygiene access plan shows ours",
                )
            if wanted is not None and wanted != present:
                yield AccessChange(WRITE, found["Name"], _text(wanted))
            elif wanted is None and present is not None and ours:
                yield AccessChange(REMOVE, found["Name"])

    def carry_out(self, change: AccessChange) -> None:
        """Write or remove a policy, after AWS has validated it."""
        id = change.object
        with translated(f"{change.action} {id}", writes=True):
            if change.action == REMOVE:
                self._client.delete_resource_policy(SecretId=id)
                return
            judged = self._client.validate_resource_policy(SecretId=id, ResourcePolicy=change.detail)
            if judged.get("PolicyValidationPassed") is False:
                names = ", ".join(sorted({error.get("CheckName", "") for error in judged.get("ValidationErrors", [])}))
                raise StoreError(f"AWS finds the resource policy of {id} wrong ({names}); it was not written")
            self._client.put_resource_policy(SecretId=id, ResourcePolicy=change.detail, BlockPublicPolicy=True)

    def _present(self, name: str, id: str) -> dict[str, Any] | None:
        with translated(f"read the resource policy of {name}"):
            text = self._client.get_resource_policy(SecretId=id).get("ResourcePolicy")
        document: dict[str, Any] | None = json.loads(text) if text else None
        return document


def compile_resource_policy(roles: Sequence[Role], name: str, account: str) -> dict[str, Any] | None:
    """Give the policy of the secret ``name``, or None where nobody of another account may do anything to it."""
    statements = []
    for role in roles:
        members = strangers_of(role, account)
        actions = [action for action in actions_of(role) if action != _CREATING]
        if members and actions and any(covers(glob, name) for glob in role.paths):
            principal = {"AWS": members[0] if len(members) == 1 else members}
            statements.append({"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"})
    if not statements:
        return None
    clear = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "secretsmanager:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Id": _ID, "Statement": [*statements, clear]}
    if len(_text(document)) > _LONGEST:
        raise ConfigError(
            f"the resource policy of {name} would be longer than the {_LONGEST} characters that AWS takes",
            hint="let members of other accounts assume one role of this account instead",
        )
    return document


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2)
