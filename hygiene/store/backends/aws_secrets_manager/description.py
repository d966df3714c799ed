"""AWS's description of a secret, and its stages, in our words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING

from hygiene.reference import Reference
from hygiene.store.backends.aws_secrets_manager.tags import facts_of
from hygiene.store.protocol import CURRENT, PENDING, PREVIOUS, StoredSecret, Version

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef

STAGED = "HYGIENE-STAGED"  # on a version whose conditional promotion is not done yet
_STAGES = {CURRENT: "AWSCURRENT", PENDING: "AWSPENDING", PREVIOUS: "AWSPREVIOUS"}
_OWN_STAGES = {aws: own for own, aws in _STAGES.items()}


def aws_stage(stage: str) -> str:
    """Give AWS's name of a stage."""
    return _STAGES.get(stage, stage)


def own_stages(stages: Iterable[str]) -> frozenset[str]:
    """Give those of AWS's stages that are ours, by our names."""
    return frozenset(_OWN_STAGES[stage] for stage in stages if stage in _OWN_STAGES)


def staged(found: DescribeSecretResponseTypeDef, stage: str) -> str | None:
    """Give the version that carries AWS's ``stage``."""
    return next((id for id, stages in found.get("VersionIdsToStages", {}).items() if stage in stages), None)


def told_secret(
    name: str, reference: Reference, found: DescribeSecretResponseTypeDef, versions: tuple[Version, ...]
) -> StoredSecret:
    """Give the store-neutral description of what AWS describes."""
    facts = facts_of(found.get("Tags", []), found.get("OwningService", ""))
    current = staged(found, "AWSCURRENT") or ""
    return StoredSecret(
        name=name,
        reference=reference,
        owner=facts.owner,
        versions=tuple(v._replace(expires=facts.expires(v.id)) for v in versions),
        created=found["CreatedDate"].astimezone(UTC),
        expires=facts.expires(current),
        due=facts.due,
        deleted=found["DeletedDate"].astimezone(UTC) if found.get("DeletedDate") else None,
        labels=facts.labels,
    )


def sketched_versions(found: DescribeSecretResponseTypeDef) -> tuple[Version, ...]:
    """Tell the staged versions from one entry of a listing; their times from our tag, or the last change."""
    facts = facts_of(found.get("Tags", []))
    changed = found.get("LastChangedDate") or found["CreatedDate"]
    return tuple(
        Version(id, (facts.created(id) or changed).astimezone(UTC), own_stages(stages))
        for id, stages in found.get("VersionIdsToStages", {}).items()
    )
