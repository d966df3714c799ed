"""AWS Secrets Manager as a :class:`hygiene.store.protocol.Store`.

What it holds itself to: a version's id is the caller's token (a retry makes no second version);
``PutSecretValue`` and never ``UpdateSecret`` for values; every read names its stage; compare-and-set is the
conditional move of AWSCURRENT; a deletion waits 30 days; a write is read back from the list of versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hygiene.config import Role
from hygiene.errors import ConflictError, ForeignSecretError, NotFoundError, StoreError
from hygiene.reference import Reference, check_name
from hygiene.secret import Secret
from hygiene.store.answers import judged
from hygiene.store.backends.aws_secrets_manager.client import refuses_parameter, translated
from hygiene.store.backends.aws_secrets_manager.description import (
    STAGED,
    aws_stage,
    sketched_versions,
    staged,
    told_secret,
)
from hygiene.store.backends.aws_secrets_manager.governance import Governance
from hygiene.store.backends.aws_secrets_manager.lookup import Lookup
from hygiene.store.backends.aws_secrets_manager.names import aws_name, own_name
from hygiene.store.backends.aws_secrets_manager.payload import value_from
from hygiene.store.backends.aws_secrets_manager.resources import ResourcePolicies
from hygiene.store.backends.aws_secrets_manager.rotating import OwnRotation
from hygiene.store.backends.aws_secrets_manager.tags import Dates, Facts, facts_of, tags_of
from hygiene.store.backends.aws_secrets_manager.versions import Versions
from hygiene.store.backends.aws_secrets_manager.writing import Writer, check_new
from hygiene.store.checks import check_put, is_same_moment
from hygiene.store.protocol import (
    CURRENT,
    OWNER,
    AccessChange,
    Capabilities,
    Expect,
    StoredSecret,
    Version,
)

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_RECOVERY_DAYS = 30


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
        self._lookup = Lookup(client, uri=uri, prefix=self._prefix)
        self._versions = Versions(client)
        self._rotation = OwnRotation(client, self._lookup)
        self._writer = Writer(
            client, self._lookup, self._versions, prefix=self._prefix, kms_key=kms_key, replicas=replicas
        )

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
        found = self._lookup.find(check_name(name))
        return told_secret(name, self.reference(name), found, self._versions.of(found["Name"])) if found else None

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""
        listed = [
            told_secret(name, self.reference(name), found, sketched_versions(found))
            for name, found in self._lookup.all(prefix)
        ]
        yield from sorted(listed, key=lambda told: told.name)

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
        found = self._lookup.find(name)
        if found is None:
            check_new(name, expect, stage)
            found = self._writer.create(name, secret, token, labels)
        else:
            self._lookup.check_ours(name, found)
            self._writer.add(name, found, secret, token, expect=expect, stage=stage)
            found = self._lookup.found(name)
        return self._writer.note(name, found, token, expires, labels)

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value; the stage is always named, since not every server takes the current one for granted."""
        for candidate in dict.fromkeys((aws_name(check_name(name)), name)):
            which = {"VersionId": version} if version else {"VersionStage": aws_stage(stage)}
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
                if version and refuses_parameter(error):
                    raise NotFoundError(f"{name} has no version {version}") from error
                raise
            return value_from(name, answer)
        raise self._lookup.missing(name, missing, version, stage)

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Make ``version`` current."""
        found = self._lookup.ours(name)
        versions = {v.id: v for v in self._versions.of(found["Name"])}
        if version not in versions:
            raise NotFoundError(f"{name} has no version {version}")
        current = staged(found, "AWSCURRENT")
        if current != version:
            if current != expect:
                raise ConflictError(f"the current version of {name} is not {expect}; nothing was changed")
            self._versions.move(found["Name"], "AWSCURRENT", to=version, away_from=expect)
        for stage in ("AWSPENDING", STAGED):
            if stage in found.get("VersionIdsToStages", {}).get(version, []):
                self._versions.move(found["Name"], stage, away_from=version)
        found = self._lookup.found(name)
        if staged(found, "AWSCURRENT") != version:
            raise StoreError(f"AWS said that version {version} of {name} is current, but it is not")
        self._writer.tag(found, facts_of(found.get("Tags", []))._replace(due=None))

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` off whatever version carries it."""
        if stage == CURRENT:
            raise ConflictError("the current version keeps its stage; promote another one instead")
        found = self._lookup.ours(name)
        holder = staged(found, aws_stage(stage))
        if holder is not None:
            self._versions.move(found["Name"], aws_stage(stage), away_from=holder)

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the current version must not be used."""
        found = self._lookup.ours(name)
        current = staged(found, "AWSCURRENT")
        if current is None:
            raise NotFoundError(f"{name} has no current version")
        facts = facts_of(found.get("Tags", []))
        created = facts.created(current) or found.get("LastChangedDate") or found["CreatedDate"]
        kept = found.get("VersionIdsToStages", {})
        self._writer.tag(found, facts.with_version(current, Dates(created, at), kept))
        if not is_same_moment(facts_of(self._lookup.found(name).get("Tags", [])).expires(current), at):
            raise StoreError(f"AWS said that the tags of {name} were written, but they do not say when it expires")

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""
        found = self._lookup.ours(name)
        self._writer.tag(found, facts_of(found.get("Tags", []))._replace(due=at))

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours, unless another AWS service manages it."""
        found = self._lookup.found(name)
        if found.get("OwningService"):
            raise ForeignSecretError(f"{name} is managed by {found['OwningService']}, which can't be taken over")
        facts = facts_of(found.get("Tags", []))
        if facts.owner != OWNER:
            self._writer.tag(found, facts)

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions; where ``recoverable``, within 30 days :meth:`restore` brings them back."""
        found = self._lookup.found(name)
        self._lookup.check_owner(name, found)
        with translated(f"delete {name}", writes=True):
            if not recoverable:
                self._client.delete_secret(SecretId=found["Name"], ForceDeleteWithoutRecovery=True)
            elif not found.get("DeletedDate"):
                self._client.delete_secret(SecretId=found["Name"], RecoveryWindowInDays=_RECOVERY_DAYS)
        left = self._lookup.find(name)
        if left is not None and not left.get("DeletedDate"):
            raise StoreError(f"AWS said that {name} was deleted, but it is still there")

    def restore(self, name: str) -> None:
        """Undo a recoverable deletion."""
        found = self._lookup.found(name)
        self._lookup.check_owner(name, found)
        if found.get("DeletedDate"):
            with translated(f"restore {name}", writes=True):
                self._client.restore_secret(SecretId=found["Name"])

    def is_self_rotated(self, name: str) -> bool:
        """Say whether a function of AWS rotates ``name``."""
        return self._rotation.enabled(check_name(name))

    def start_rotation(self, name: str, token: str) -> None:
        """Let that function rotate ``name``, to the version ``token``."""
        self._rotation.start(check_name(name), token)

    def is_rotated(self, name: str, token: str) -> bool:
        """Say whether the version ``token`` is current."""
        return self._rotation.done(check_name(name), token)

    def plan_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which policies of IAM and of secrets :meth:`apply_access` would write and attach, with their text."""
        return self._governance().plan(roles)

    def apply_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Write the IAM policies and attach them to members of our account; let others in by the secrets' policies."""
        return self._governance().apply(roles)

    def check_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell which policies differ from ``roles``, and which members a token of CI opens too easily."""
        return self._governance().check(roles)

    def _governance(self) -> Governance:
        return Governance(self._region, self._prefix, ResourcePolicies(self._client, self._lookup))
