"""The versions of a secret: listed, compared with a retry, and their stages moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any

from hygiene.errors import AccessDeniedError, ConflictError, StoreError
from hygiene.secret import Secret
from hygiene.store.backends.aws_secrets_manager.client import refuses_parameter, translated
from hygiene.store.backends.aws_secrets_manager.description import STAGED, own_stages
from hygiene.store.backends.aws_secrets_manager.payload import payload_from, value_from
from hygiene.store.protocol import Version

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Versions:
    """The versions of the secrets that one client reaches."""

    def __init__(self, client: SecretsManagerClient) -> None:
        """Ask and change by ``client``."""
        self._client = client

    def of(self, id: str) -> tuple[Version, ...]:
        """Give all versions, the newest first."""
        found: list[Version] = []
        token: dict[str, str] = {}
        while True:
            with translated(f"list the versions of {id}"):
                answer = self._client.list_secret_version_ids(SecretId=id, IncludeDeprecated=True, **token)  # type: ignore[arg-type]
            found += [
                Version(
                    entry["VersionId"], entry["CreatedDate"].astimezone(UTC), own_stages(entry.get("VersionStages", []))
                )
                for entry in answer.get("Versions", [])
            ]
            if not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}
        return tuple(sorted(found, key=lambda version: version.created, reverse=True))

    def move(self, id: str, stage: str, *, to: str = "", away_from: str = "") -> None:
        """Move a stage of AWS; raises :class:`ConflictError` where it is on another version than ``away_from``."""
        options = {"MoveToVersionId": to} if to else {}
        options |= {"RemoveFromVersionId": away_from} if away_from else {}
        try:
            with translated(f"move the stage {stage} of {id}", writes=True):
                self._client.update_secret_version_stage(SecretId=id, VersionStage=stage, **options)
        except StoreError as error:
            if refuses_parameter(error):
                raise ConflictError(f"the stage {stage} of {id} is on another version; nothing was changed") from error
            raise

    def check_same(self, name: str, id: str, token: str, secret: Secret) -> None:
        """Raise :class:`ConflictError` unless the version ``token`` holds ``secret``: a retry of its writer."""
        try:
            with translated(f"read {name}"):
                answer: Mapping[str, Any] = self._client.get_secret_value(SecretId=id, VersionId=token)
            same = value_from(name, answer) == secret
        except AccessDeniedError:
            # May write but not read: AWS itself compares, and changes nothing where token and value are known.
            with translated(f"write {name}", writes=True):
                self._client.put_secret_value(
                    SecretId=id, ClientRequestToken=token, VersionStages=[STAGED], **payload_from(secret)
                )
            same = True
        if not same:
            raise ConflictError(f"the token was used for another value of {name}; nothing was written")
