"""AWS Secrets Manager as a :class:`hygiene.store.protocol.Store`.

What it holds itself to: a version's id is the caller's token (a retry makes no second version);
``PutSecretValue`` and never ``UpdateSecret`` for values; every read names its stage; compare-and-set is the
conditional move of AWSCURRENT; a deletion waits 30 days; a write is read back from the list of versions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from hygiene.config import Role
from hygiene.errors import AccessDeniedError, ConflictError, ForeignSecretError, NotFoundError, StoreError
from hygiene.reference import NAME_PATTERN, Reference, check_name
from hygiene.secret import Secret
from hygiene.store.answers import judged
from hygiene.store.backends.aws_secrets_manager.client import code_of, translated
from hygiene.store.backends.aws_secrets_manager.governance import Governance
from hygiene.store.backends.aws_secrets_manager.names import aws_name, own_name
from hygiene.store.backends.aws_secrets_manager.tags import OWNER_TAG, Dates, Facts, facts_of, tags_of
from hygiene.store.checks import check_put
from hygiene.store.protocol import (
    CURRENT,
    OWNER,
    PENDING,
    PREVIOUS,
    AccessChange,
    Capabilities,
    Expect,
    StoredSecret,
    Version,
)

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef

_STAGES = {CURRENT: "AWSCURRENT", PENDING: "AWSPENDING", PREVIOUS: "AWSPREVIOUS"}
_OWN_STAGES = {aws: own for own, aws in _STAGES.items()}
_STAGED = "HYGIENE-STAGED"  # on a version whose conditional promotion is not done yet
_RECOVERY_DAYS = 30
_NAME_FREED_TRIES = 6  # a forced deletion frees the name a little later


@judged
class SecretsManagerStore:
    """The secrets of one region below one prefix."""

    capabilities = Capabilities()

    def __init__(
        self,
        client: SecretsManagerClient,
        *,
        uri: str,
        region: str,
        prefix: str,
        kms_key: str = "",
        replicas: tuple[str, ...] = (),
    ) -> None:
        """Use ``client``; new secrets are encrypted by ``kms_key`` and replicated to the regions ``replicas``."""
        self.uri = uri
        self._client = client
        self._region = region
        self._prefix = f"{prefix}/" if prefix else ""
        self._kms_key = kms_key
        self._replicas = replicas

    def reference(self, name: str, *, field: str = "") -> Reference:
        """Build the reference to the current version of ``name``."""
        query = (("region", self._region),) if self._region else ()
        return Reference("awssecrets", self._prefix + aws_name(check_name(name)), query, field)

    def name_of(self, reference: Reference) -> str:
        """Give the name that ``reference`` means here."""
        region = reference.parameter("region") or ""
        ours = reference.scheme == "awssecrets" and reference.path.startswith(self._prefix)
        if not ours or (region and self._region and region != self._region):
            raise NotFoundError(f"{reference} does not belong to the store {self.uri}")
        return check_name(own_name(reference.path.removeprefix(self._prefix)))

    def describe(self, name: str) -> StoredSecret | None:
        """Tell about ``name``, or None."""
        found = self._find(check_name(name))
        return self._told(name, found, self._versions(found["Name"])) if found else None

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""
        yield from sorted(self._listed(prefix), key=lambda told: told.name)

    def put(
        self,
        name: str,
        secret: Secret,
        *,
        expect: str | Expect = Expect.ANYTHING,
        token: str,
        stage: str = CURRENT,
        expires: datetime | None = None,
        labels: tuple[tuple[str, str], ...] = (),
    ) -> Version:
        """Write a version and point ``stage`` at it."""
        check_put(check_name(name), secret, token, self.capabilities)
        tags_of(Facts(OWNER, labels))
        found = self._find(name)
        if found is None:
            _check_new(name, expect, stage)
            found = self._create(name, secret, token, labels)
        else:
            self._check_ours(name, found)
            self._add(name, found, secret, token, expect=expect, stage=stage)
            found = self._found(name)
        return self._noted(name, found, token, expires, labels)

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value; the stage is always named, since not every server takes the current one for granted."""
        for candidate in dict.fromkeys((aws_name(check_name(name)), name)):
            which = {"VersionId": version} if version else {"VersionStage": _STAGES.get(stage, stage)}
            try:
                with translated(f"read {name}"):
                    answer: Mapping[str, Any] = self._client.get_secret_value(
                        SecretId=self._prefix + candidate,
                        **which,
                    )
            except (NotFoundError, ConflictError) as error:
                missing = error
                continue
            except StoreError as error:
                if version and isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == _INVALID:
                    raise NotFoundError(f"{name} has no version {version}") from error
                raise
            return _value(name, answer)
        raise self._missing(name, missing, version, stage)

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Make ``version`` current."""
        found = self._ours(name)
        versions = {v.id: v for v in self._versions(found["Name"])}
        if version not in versions:
            raise NotFoundError(f"{name} has no version {version}")
        current = _staged(found, "AWSCURRENT")
        if current != version:
            if current != expect:
                raise ConflictError(f"the current version of {name} is not {expect}; nothing was changed")
            self._move(found["Name"], "AWSCURRENT", to=version, away_from=expect)
        for stage in ("AWSPENDING", _STAGED):
            if stage in found.get("VersionIdsToStages", {}).get(version, []):
                self._move(found["Name"], stage, away_from=version)
        found = self._found(name)
        if _staged(found, "AWSCURRENT") != version:
            raise StoreError(f"AWS said that version {version} of {name} is current, but it is not")
        self._tag(found, facts_of(found.get("Tags", []))._replace(due=None))

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` off whatever version carries it."""
        if stage == CURRENT:
            raise ConflictError("the current version keeps its stage; promote another one instead")
        found = self._ours(name)
        holder = _staged(found, _STAGES.get(stage, stage))
        if holder is not None:
            self._move(found["Name"], _STAGES.get(stage, stage), away_from=holder)

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the current version must not be used."""
        found = self._ours(name)
        current = _staged(found, "AWSCURRENT")
        if current is None:
            raise NotFoundError(f"{name} has no current version")
        facts = facts_of(found.get("Tags", []))
        created = facts.created(current) or found.get("LastChangedDate") or found["CreatedDate"]
        kept = found.get("VersionIdsToStages", {})
        self._tag(found, facts.with_version(current, Dates(created, at), kept))

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""
        found = self._ours(name)
        self._tag(found, facts_of(found.get("Tags", []))._replace(due=at))

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours, unless another AWS service manages it."""
        found = self._found(name)
        if found.get("OwningService"):
            raise ForeignSecretError(f"{name} is managed by {found['OwningService']}, which can't be taken over")
        facts = facts_of(found.get("Tags", []))
        if facts.owner != OWNER:
            self._tag(found, facts)

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions; where ``recoverable``, within 30 days :meth:`restore` brings them back."""
        found = self._found(name)
        self._check_owner(name, found)
        with translated(f"delete {name}", writes=True):
            if not recoverable:
                self._client.delete_secret(SecretId=found["Name"], ForceDeleteWithoutRecovery=True)
            elif not found.get("DeletedDate"):
                self._client.delete_secret(SecretId=found["Name"], RecoveryWindowInDays=_RECOVERY_DAYS)

    def restore(self, name: str) -> None:
        """Undo a recoverable deletion."""
        found = self._found(name)
        self._check_owner(name, found)
        if found.get("DeletedDate"):
            with translated(f"restore {name}", writes=True):
                self._client.restore_secret(SecretId=found["Name"])

    def plan_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which IAM policies :meth:`apply_access` would write and attach, with their text."""
        return Governance(self._region, self._prefix).plan(roles)

    def apply_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Write the IAM policies, and attach them to the members that are IAM roles or users."""
        return Governance(self._region, self._prefix).apply(roles)

    def check_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which IAM policies differ from ``roles``."""
        return self.plan_access(roles)

    def _find(self, name: str) -> DescribeSecretResponseTypeDef | None:
        # A stranger's secret may have the name that we would not have chosen.
        for candidate in dict.fromkeys((aws_name(name), name)):
            try:
                with translated(f"look at {name}"):
                    return self._client.describe_secret(SecretId=self._prefix + candidate)
            except NotFoundError:
                continue
        return None

    def _found(self, name: str) -> DescribeSecretResponseTypeDef:
        found = self._find(check_name(name))
        if found is None:
            raise NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")
        return found

    def _ours(self, name: str) -> DescribeSecretResponseTypeDef:
        found = self._found(name)
        self._check_ours(name, found)
        return found

    def _check_ours(self, name: str, found: DescribeSecretResponseTypeDef) -> None:
        self._check_owner(name, found)
        if found.get("DeletedDate"):
            raise ConflictError(
                f"{name} is scheduled for deletion since {found['DeletedDate']:%Y-%m-%d %H:%M}",
                hint=f"bring it back with: hygiene secret restore {name}",
            )

    def _check_owner(self, name: str, found: DescribeSecretResponseTypeDef) -> None:
        owner = facts_of(found.get("Tags", []), found.get("OwningService", "")).owner
        if owner != OWNER:
            raise ForeignSecretError(
                f"{name} in {self.uri} belongs to {owner!r}, so it is left alone",
                hint=f"to take it over: hygiene secret adopt {name} (which sets the tag {OWNER_TAG}={OWNER})",
            )

    def _create(
        self, name: str, secret: Secret, token: str, labels: tuple[tuple[str, str], ...]
    ) -> DescribeSecretResponseTypeDef:
        tags = [{"Key": key, "Value": value} for key, value in tags_of(Facts(OWNER, labels)).items()]
        options: dict[str, Any] = {"Name": self._prefix + aws_name(name), "ClientRequestToken": token, "Tags": tags}
        if self._kms_key:
            options["KmsKeyId"] = self._kms_key
        if self._replicas:
            options["AddReplicaRegions"] = [{"Region": region} for region in self._replicas]
        for attempt in range(_NAME_FREED_TRIES):
            try:
                with translated(f"create {name}", writes=True):
                    self._client.create_secret(**options, **_payload(secret))
                break
            except ConflictError:
                if self._find(name) is not None or attempt == _NAME_FREED_TRIES - 1:
                    raise
                time.sleep(2**attempt / 4)
        return self._found(name)

    def _add(
        self,
        name: str,
        found: DescribeSecretResponseTypeDef,
        secret: Secret,
        token: str,
        *,
        expect: str | Expect,
        stage: str,
    ) -> None:
        known = next((v for v in self._versions(found["Name"]) if v.id == token), None)
        unfinished = _STAGED in found.get("VersionIdsToStages", {}).get(token, [])
        if known is not None:
            self._check_same(name, found["Name"], token, secret)
            if not unfinished:
                return
        current = _staged(found, "AWSCURRENT")
        if expect is Expect.ABSENT:
            raise ConflictError(f"{name} exists already; nothing was written")
        if isinstance(expect, str) and current != expect:
            raise ConflictError(f"the current version of {name} is not {expect}; nothing was written")
        if current is None and stage != CURRENT:
            raise ConflictError(f"{name} has no current version yet; a first version is always current")
        conditional = isinstance(expect, str) and stage == CURRENT
        if known is None:
            label = _STAGED if conditional else _STAGES.get(stage, stage)
            with translated(f"write {name}", writes=True):
                self._client.put_secret_value(
                    SecretId=found["Name"], ClientRequestToken=token, VersionStages=[label], **_payload(secret)
                )
        if conditional:
            self._move(found["Name"], "AWSCURRENT", to=token, away_from=str(expect))
            self._move(found["Name"], _STAGED, away_from=token)

    def _check_same(self, name: str, id: str, token: str, secret: Secret) -> None:
        try:
            with translated(f"read {name}"):
                answer: Mapping[str, Any] = self._client.get_secret_value(SecretId=id, VersionId=token)
            same = _value(name, answer) == secret
        except AccessDeniedError:
            # May write but not read: AWS itself compares, and changes nothing where token and value are known.
            with translated(f"write {name}", writes=True):
                self._client.put_secret_value(
                    SecretId=id, ClientRequestToken=token, VersionStages=[_STAGED], **_payload(secret)
                )
            same = True
        if not same:
            raise ConflictError(f"the token was used for another value of {name}; nothing was written")

    def _noted(
        self,
        name: str,
        found: DescribeSecretResponseTypeDef,
        token: str,
        expires: datetime | None,
        labels: tuple[tuple[str, str], ...],
    ) -> Version:
        written = next((v for v in self._versions(found["Name"]) if v.id == token), None)
        if written is None:
            raise StoreError(f"AWS said that {name} was written, but its version is not there")
        facts = facts_of(found.get("Tags", []))
        staged = found.get("VersionIdsToStages", {})
        # A retry of what has been superseded since must not note its dates again.
        if token in staged:
            facts = facts.with_version(token, Dates(written.created, expires), staged)
            due = None if "AWSCURRENT" in staged[token] else facts.due
            self._tag(found, facts._replace(labels=tuple(sorted(labels)) or facts.labels, due=due))
        return written._replace(expires=expires)

    def _tag(self, found: DescribeSecretResponseTypeDef, facts: Facts) -> None:
        wanted = tags_of(facts)
        present = {tag["Key"]: tag.get("Value", "") for tag in found.get("Tags", [])}
        changed = [{"Key": k, "Value": v} for k, v in wanted.items() if present.get(k) != v]
        surplus = [key for key in present if key.startswith("hygiene:") and key not in wanted]
        with translated(f"tag {found['Name']}", writes=True):
            if changed:
                self._client.tag_resource(SecretId=found["Name"], Tags=changed)  # type: ignore[arg-type]
            if surplus:
                self._client.untag_resource(SecretId=found["Name"], TagKeys=surplus)

    def _move(self, id: str, stage: str, *, to: str = "", away_from: str = "") -> None:
        options = {"MoveToVersionId": to} if to else {}
        options |= {"RemoveFromVersionId": away_from} if away_from else {}
        try:
            with translated(f"move the stage {stage} of {id}", writes=True):
                self._client.update_secret_version_stage(SecretId=id, VersionStage=stage, **options)
        except StoreError as error:
            if isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == _INVALID:
                raise ConflictError(f"the stage {stage} of {id} is on another version; nothing was changed") from error
            raise

    def _versions(self, id: str) -> tuple[Version, ...]:
        found: list[Version] = []
        token: dict[str, str] = {}
        while True:
            with translated(f"list the versions of {id}"):
                answer = self._client.list_secret_version_ids(SecretId=id, IncludeDeprecated=True, **token)  # type: ignore[arg-type]
            found += [
                Version(entry["VersionId"], entry["CreatedDate"].astimezone(UTC), _own(entry.get("VersionStages", [])))
                for entry in answer.get("Versions", [])
            ]
            if not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}
        return tuple(sorted(found, key=lambda version: version.created, reverse=True))

    def _listed(self, prefix: str) -> Iterator[StoredSecret]:
        start = self._prefix + prefix
        options: dict[str, Any] = {"Filters": [{"Key": "name", "Values": [start]}]} if start else {}
        with translated("list secrets"):
            for page in self._client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True, **options):
                for entry in page["SecretList"]:
                    name = own_name(entry["Name"].removeprefix(self._prefix))
                    # A filter of AWS matches words, and a stranger's name may have signs that ours can't.
                    if entry["Name"].startswith(start) and NAME_PATTERN.match(name):
                        described: Any = {**entry, "VersionIdsToStages": entry.get("SecretVersionsToStages", {})}
                        yield self._told(name, described, _sketched(described))

    def _told(self, name: str, found: DescribeSecretResponseTypeDef, versions: tuple[Version, ...]) -> StoredSecret:
        facts = facts_of(found.get("Tags", []), found.get("OwningService", ""))
        current = _staged(found, "AWSCURRENT") or ""
        return StoredSecret(
            name=name,
            reference=self.reference(name),
            owner=facts.owner,
            versions=tuple(v._replace(expires=facts.expires(v.id)) for v in versions),
            created=found["CreatedDate"].astimezone(UTC),
            expires=facts.expires(current),
            due=facts.due,
            deleted=found["DeletedDate"].astimezone(UTC) if found.get("DeletedDate") else None,
            labels=facts.labels,
        )

    def _missing(self, name: str, error: StoreError, version: str | None, stage: str) -> NotFoundError:
        found = self._find(name)
        if found is None:
            return NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")
        if found.get("DeletedDate"):
            return NotFoundError(
                f"{name} was deleted at {found['DeletedDate']:%Y-%m-%d %H:%M}",
                hint=f"bring it back with: hygiene secret restore {name}",
            )
        what = f"version {version}" if version else f"{stage} version"
        return NotFoundError(f"{name} has no {what} with a value ({error.message})")


_INVALID = "InvalidParameterException"


def _check_new(name: str, expect: str | Expect, stage: str) -> None:
    if isinstance(expect, str):
        raise ConflictError(f"the current version of {name} is not {expect}: there is none; nothing was written")
    if stage != CURRENT:
        raise ConflictError(f"{name} has no current version yet; a first version is always current")


def _payload(secret: Secret) -> dict[str, Any]:
    try:
        return {"SecretString": secret.reveal().decode()}
    except UnicodeDecodeError:
        return {"SecretBinary": secret.reveal()}


def _value(name: str, answer: Mapping[str, Any]) -> Secret:
    if "Name" not in answer:
        # What botocore makes of an answer that broke off, or that something between us and AWS gave.
        raise StoreError(f"the answer of AWS about {name} is not whole", hint="try again")
    if answer.get("SecretString") is not None:
        return Secret(answer["SecretString"].encode())
    if answer.get("SecretBinary") is not None:
        return Secret(bytes(answer["SecretBinary"]))
    raise NotFoundError(f"that version of {name} holds no value")


def _staged(found: DescribeSecretResponseTypeDef, stage: str) -> str | None:
    return next((id for id, stages in found.get("VersionIdsToStages", {}).items() if stage in stages), None)


def _own(stages: list[str]) -> frozenset[str]:
    return frozenset(_OWN_STAGES[stage] for stage in stages if stage in _OWN_STAGES)


def _sketched(found: DescribeSecretResponseTypeDef) -> tuple[Version, ...]:
    """Tell the staged versions from one entry of a listing; their times from our tag, or the last change."""
    facts = facts_of(found.get("Tags", []))
    changed = found.get("LastChangedDate") or found["CreatedDate"]
    return tuple(
        Version(id, (facts.created(id) or changed).astimezone(UTC), _own(stages))
        for id, stages in found.get("VersionIdsToStages", {}).items()
    )
