"""Secrets found by our names below the prefix of a store, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hygiene.errors import ConflictError, ForeignSecretError, NotFoundError, StoreError
from hygiene.reference import NAME_PATTERN, check_name
from hygiene.store.backends.aws_secrets_manager.client import translated
from hygiene.store.backends.aws_secrets_manager.names import aws_name, own_name
from hygiene.store.backends.aws_secrets_manager.tags import OWNER_TAG, facts_of
from hygiene.store.protocol import OWNER

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef


class Lookup:
    """The secrets below one prefix."""

    def __init__(self, client: SecretsManagerClient, *, uri: str, prefix: str) -> None:
        """Ask ``client`` for what lies below ``prefix``, which ends in a slash or is empty."""
        self.uri = uri
        self._client = client
        self._prefix = prefix

    def find(self, name: str) -> DescribeSecretResponseTypeDef | None:
        """Describe ``name``, or give None."""
        # A stranger's secret may have the name that we would not have chosen.
        for candidate in dict.fromkeys((aws_name(name), name)):
            try:
                with translated(f"look at {name}"):
                    return self._client.describe_secret(SecretId=self._prefix + candidate)
            except NotFoundError:
                continue
        return None

    def found(self, name: str) -> DescribeSecretResponseTypeDef:
        """Describe ``name``; raises :class:`NotFoundError`."""
        found = self.find(check_name(name))
        if found is None:
            raise NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")
        return found

    def ours(self, name: str) -> DescribeSecretResponseTypeDef:
        """Describe ``name``, which must be ours and not deleted."""
        found = self.found(name)
        self.check_ours(name, found)
        return found

    def check_ours(self, name: str, found: DescribeSecretResponseTypeDef) -> None:
        """Raise unless what was found is ours and not deleted."""
        self.check_owner(name, found)
        if found.get("DeletedDate"):
            raise ConflictError(
                f"{name} is scheduled for deletion since {found['DeletedDate']:%Y-%m-%d %H:%M}",
                hint=f"bring it back with: hygiene secret restore {name}",
            )

    def check_owner(self, name: str, found: DescribeSecretResponseTypeDef) -> None:
        """Raise :class:`ForeignSecretError` unless what was found is ours."""
        owner = facts_of(found.get("Tags", []), found.get("OwningService", "")).owner
        if owner != OWNER:
            raise ForeignSecretError(
                f"{name} in {self.uri} belongs to {owner!r}, so it is left alone",
                hint=f"to take it over: hygiene secret adopt {name} (which sets the tag {OWNER_TAG}={OWNER})",
            )

    def all(self, prefix: str) -> Iterator[tuple[str, DescribeSecretResponseTypeDef]]:
        """Describe every secret whose name starts with ``prefix``, as a listing tells it, in no order."""
        start = self._prefix + prefix
        options: dict[str, Any] = {"Filters": [{"Key": "name", "Values": [start]}]} if start else {}
        with translated("list secrets"):
            for page in self._client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True, **options):
                for entry in page["SecretList"]:
                    name = own_name(entry["Name"].removeprefix(self._prefix))
                    # A filter of AWS matches words, and a stranger's name may have signs that ours can't.
                    if entry["Name"].startswith(start) and NAME_PATTERN.match(name):
                        described: Any = {**entry, "VersionIdsToStages": entry.get("SecretVersionsToStages", {})}
                        yield name, described

    def missing(self, name: str, error: StoreError, version: str | None, stage: str) -> NotFoundError:
        """Tell why the read that ended in ``error`` found no value."""
        found = self.find(name)
        if found is None:
            return NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")
        if found.get("DeletedDate"):
            return NotFoundError(
                f"{name} was deleted at {found['DeletedDate']:%Y-%m-%d %H:%M}",
                hint=f"bring it back with: hygiene secret restore {name}",
            )
        what = f"version {version}" if version else f"{stage} version"
        return NotFoundError(f"{name} has no {what} with a value ({error.message})")
