"""Versions written: a secret created, a version added to one that is there, and its facts noted in the tags."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hygiene.errors import ConflictError, StoreError
from hygiene.secret import Secret
from hygiene.store.backends.aws_secrets_manager.client import translated
from hygiene.store.backends.aws_secrets_manager.description import STAGED, aws_stage, staged
from hygiene.store.backends.aws_secrets_manager.lookup import Lookup
from hygiene.store.backends.aws_secrets_manager.names import aws_name
from hygiene.store.backends.aws_secrets_manager.payload import payload_from
from hygiene.store.backends.aws_secrets_manager.tags import Dates, Facts, facts_of, tags_of
from hygiene.store.backends.aws_secrets_manager.versions import Versions
from hygiene.store.protocol import CURRENT, OWNER, Expect, Version

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef

_NAME_FREED_TRIES = 6  # a forced deletion frees the name a little later


class Writer:
    """Writes below one prefix."""

    def __init__(
        self,
        client: SecretsManagerClient,
        lookup: Lookup,
        versions: Versions,
        *,
        prefix: str,
        kms_key: str,
        replicas: tuple[str, ...],
    ) -> None:
        """Write by ``client``; new secrets are encrypted by ``kms_key`` and replicated to the regions ``replicas``."""
        self._client = client
        self._lookup = lookup
        self._versions = versions
        self._prefix = prefix
        self._options: dict[str, Any] = {"KmsKeyId": kms_key} if kms_key else {}
        if replicas:
            self._options["AddReplicaRegions"] = [{"Region": region} for region in replicas]

    def create(
        self, name: str, secret: Secret, token: str, labels: tuple[tuple[str, str], ...]
    ) -> DescribeSecretResponseTypeDef:
        """Create ``name`` with its first version, and describe it."""
        tags = [{"Key": key, "Value": value} for key, value in tags_of(Facts(OWNER, labels)).items()]
        place: dict[str, Any] = {"Name": self._prefix + aws_name(name), "ClientRequestToken": token, "Tags": tags}
        for attempt in range(_NAME_FREED_TRIES):
            try:
                with translated(f"create {name}", writes=True):
                    self._client.create_secret(**place, **self._options, **payload_from(secret))
                break
            except ConflictError:
                if self._lookup.find(name) is not None or attempt == _NAME_FREED_TRIES - 1:
                    raise
                time.sleep(2**attempt / 4)
        return self._lookup.found(name)

    def add(
        self,
        name: str,
        found: DescribeSecretResponseTypeDef,
        secret: Secret,
        token: str,
        *,
        expect: str | Expect,
        stage: str,
    ) -> None:
        """Add a version to a secret that is there, and point ``stage`` at it, if ``expect`` holds."""
        known = next((v for v in self._versions.of(found["Name"]) if v.id == token), None)
        unfinished = STAGED in found.get("VersionIdsToStages", {}).get(token, [])
        if known is not None:
            self._versions.check_same(name, found["Name"], token, secret)
            if not unfinished:
                return
        _check_present(name, staged(found, "AWSCURRENT"), expect, stage)
        conditional = isinstance(expect, str) and stage == CURRENT
        if known is None:
            label = STAGED if conditional else aws_stage(stage)
            with translated(f"write {name}", writes=True):
                self._client.put_secret_value(
                    SecretId=found["Name"], ClientRequestToken=token, VersionStages=[label], **payload_from(secret)
                )
        if conditional:
            self._versions.move(found["Name"], "AWSCURRENT", to=token, away_from=str(expect))
            self._versions.move(found["Name"], STAGED, away_from=token)

    def note(
        self,
        name: str,
        found: DescribeSecretResponseTypeDef,
        token: str,
        expires: datetime | None,
        labels: tuple[tuple[str, str], ...],
    ) -> Version:
        """Note the dates of the version ``token`` in the tags, once it is seen to be there; gives it."""
        written = next((v for v in self._versions.of(found["Name"]) if v.id == token), None)
        if written is None:
            raise StoreError(f"AWS said that {name} was written, but its version is not there")
        facts = facts_of(found.get("Tags", []))
        kept = found.get("VersionIdsToStages", {})
        # A retry of what has been superseded since must not note its dates again.
        if token in kept:
            facts = facts.with_version(token, Dates(written.created, expires), kept)
            due = None if "AWSCURRENT" in kept[token] else facts.due
            self.tag(found, facts._replace(labels=tuple(sorted(labels)) or facts.labels, due=due))
        return written._replace(expires=expires)

    def tag(self, found: DescribeSecretResponseTypeDef, facts: Facts) -> None:
        """Make the tags say ``facts``; tags of others stay."""
        wanted = tags_of(facts)
        present = {tag["Key"]: tag.get("Value", "") for tag in found.get("Tags", [])}
        changed = [{"Key": k, "Value": v} for k, v in wanted.items() if present.get(k) != v]
        surplus = [key for key in present if key.startswith("hygiene:") and key not in wanted]
        with translated(f"tag {found['Name']}", writes=True):
            if changed:
                self._client.tag_resource(SecretId=found["Name"], Tags=changed)  # type: ignore[arg-type]
            if surplus:
                self._client.untag_resource(SecretId=found["Name"], TagKeys=surplus)


def check_new(name: str, expect: str | Expect, stage: str) -> None:
    """Raise :class:`ConflictError` where a secret that is not there can't be what the writer expects."""
    if isinstance(expect, str):
        raise ConflictError(f"the current version of {name} is not {expect}: there is none; nothing was written")
    if stage != CURRENT:
        raise ConflictError(f"{name} has no current version yet; a first version is always current")


def _check_present(name: str, current: str | None, expect: str | Expect, stage: str) -> None:
    if expect is Expect.ABSENT:
        raise ConflictError(f"{name} exists already; nothing was written")
    if isinstance(expect, str) and current != expect:
        raise ConflictError(f"the current version of {name} is not {expect}; nothing was written")
    if current is None and stage != CURRENT:
        raise ConflictError(f"{name} has no current version yet; a first version is always current")
