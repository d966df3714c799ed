"""Rotation by the function that a secret has at AWS: started, and watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygiene.errors import ConflictError
from hygiene.store.backends.aws_secrets_manager.client import translated
from hygiene.store.backends.aws_secrets_manager.description import staged
from hygiene.store.backends.aws_secrets_manager.lookup import Lookup

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class OwnRotation:
    """The rotations that AWS makes of the secrets of one region below one prefix."""

    def __init__(self, client: SecretsManagerClient, lookup: Lookup) -> None:
        """Use ``client``."""
        self._client = client
        self._lookup = lookup

    def enabled(self, name: str) -> bool:
        """Say whether ``name`` has a function that rotates it, or a service of AWS that does."""
        found = self._lookup.find(name)
        return bool(found and found.get("RotationEnabled"))

    def start(self, name: str, token: str) -> None:
        """Start a rotation whose new version is ``token``; ConflictError while an earlier one is not complete."""
        found = self._lookup.found(name)
        stages = found.get("VersionIdsToStages", {}).get(token, [])
        if "AWSPENDING" in stages or "AWSCURRENT" in stages:
            return  # it was started before the answer was lost
        pending = staged(found, "AWSPENDING")
        if pending is not None and "AWSCURRENT" not in found["VersionIdsToStages"][pending]:
            raise ConflictError(
                f"an earlier rotation of {name} is not complete: its version {pending} is pending",
                hint="look at the function's log; give that rotation up with: aws secretsmanager "
                "update-secret-version-stage --version-stage AWSPENDING --remove-from-version-id " + pending,
            )
        with translated(f"start the rotation of {name}", writes=True):
            self._client.rotate_secret(SecretId=found["ARN"], ClientRequestToken=token, RotateImmediately=True)

    def done(self, name: str, token: str) -> bool:
        """Say whether the version ``token`` is current."""
        return staged(self._lookup.found(name), "AWSCURRENT") == token
