"""AWS Secrets Manager's own rotation: the four steps of its Lambda contract, done by our providers.

Set the function's handler to ``hygiene.rotate.lambda_handler.handler`` and say by environment: ``HYGIENE_PROVIDER``,
``HYGIENE_HOSTS`` (separated by commas), ``HYGIENE_SETTINGS`` (a JSON object of labels), ``HYGIENE_ADMIN_SECRET`` (the
name of the secret that holds the admin credential). Each step may be sent again, and is harmless then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from hygiene.errors import NotFoundError, RotationError
from hygiene.rotate.provider import Provider, Target, Verdict
from hygiene.rotate.registry import open_provider
from hygiene.secret import Secret

_CURRENT, _PENDING, _PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


def handler(event: Mapping[str, str], context: object) -> None:
    """Do the step that ``event`` names; raises RotationError, after which the service tries again."""
    client: Any = boto3.client("secretsmanager")
    SecretRotation(client, _provider(client, event["SecretId"])).handle(event)


class SecretRotation:
    """The four steps for one secret."""

    def __init__(self, client: Any, provider: Provider) -> None:
        """Work through a Secrets Manager ``client``."""
        self._client = client
        self._provider = provider

    def handle(self, event: Mapping[str, str]) -> None:
        """Check that the rotation is the one that the service started, then do its step."""
        name, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
        steps = {
            "createSecret": self._create,
            "setSecret": self._set,
            "testSecret": self._test,
            "finishSecret": self._finish,
        }
        if step not in steps:
            raise RotationError(f"unknown step {step!r}")
        told = self._client.describe_secret(SecretId=name)
        stages: Mapping[str, list[str]] = told.get("VersionIdsToStages", {})
        if not told.get("RotationEnabled"):
            raise RotationError(f"{name} is not enabled for rotation")
        if token not in stages:
            raise RotationError(f"{name} has no version {token}")
        if _CURRENT in stages[token]:
            # Done; but the old value may still live, if the function was cut after the stage had moved.
            if step == "finishSecret":
                self._revoke(name)
            return
        if _PENDING not in stages[token]:
            raise RotationError(f"the version {token} of {name} is not pending")
        steps[step](name, token)

    def _create(self, name: str, token: str) -> None:
        """Store the new value as pending, unless an earlier call did."""
        if self._find(name, token=token) is not None:
            return
        current = self._read(name, stage=_CURRENT)
        new = self._provider.prepare(current)
        if new is None:
            new = self._provider.issue(current, None)
        self._client.put_secret_value(
            SecretId=name, ClientRequestToken=token, SecretString=new.reveal().decode(), VersionStages=[_PENDING]
        )

    def _set(self, name: str, token: str) -> None:
        """Make the pending value valid, unless it is."""
        pending = self._read(name, token=token)
        if self._provider.abilities.verifiable and self._provider.verify(pending).verdict is Verdict.LIVE:
            return
        if self._provider.abilities.prepares:
            self._provider.issue(self._read(name, stage=_CURRENT), pending)

    def _test(self, name: str, token: str) -> None:
        """Log in with the pending value."""
        check = self._provider.verify(self._read(name, token=token))
        if check.verdict is not Verdict.LIVE:
            raise RotationError(f"the pending value of {name} is {check.verdict.value}: {check.evidence}")

    def _finish(self, name: str, token: str) -> None:
        """Make the pending version current, then end the old value."""
        self._test(name, token)
        stages = self._client.describe_secret(SecretId=name)["VersionIdsToStages"]
        old = next((version for version, labels in stages.items() if _CURRENT in labels), None)
        remove = {"RemoveFromVersionId": old} if old else {}
        self._client.update_secret_version_stage(SecretId=name, VersionStage=_CURRENT, MoveToVersionId=token, **remove)
        self._revoke(name)

    def _revoke(self, name: str) -> None:
        previous, current = self._find(name, stage=_PREVIOUS), self._read(name, stage=_CURRENT)
        if previous is not None and previous != current and self._provider.verify(current).verdict is Verdict.LIVE:
            self._provider.revoke(previous, current)

    def _read(self, name: str, *, token: str = "", stage: str = _PENDING) -> Secret:
        found = self._find(name, token=token, stage=stage)
        if found is None:
            raise NotFoundError(f"{name} has no value for {token or stage}")
        return found

    def _find(self, name: str, *, token: str = "", stage: str = _PENDING) -> Secret | None:
        """Read a version by its stage, always named: the default differs between servers. None where it is empty."""
        version = {"VersionId": token} if token else {}
        try:
            told = self._client.get_secret_value(SecretId=name, VersionStage=stage, **version)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("ResourceNotFoundException", "InvalidRequestException"):
                return None
            raise RotationError(f"cannot read {name}: {error.response['Error']['Code']}") from None
        return Secret(told["SecretBinary"]) if "SecretBinary" in told else Secret.from_text(told["SecretString"])


def _provider(client: Any, name: str) -> Provider:
    hosts = tuple(filter(None, os.environ.get("HYGIENE_HOSTS", "").split(",")))
    labels = json.loads(os.environ.get("HYGIENE_SETTINGS", "{}"))
    admin = os.environ.get("HYGIENE_ADMIN_SECRET")
    secret = None
    if admin:
        secret = Secret.from_text(client.get_secret_value(SecretId=admin, VersionStage=_CURRENT)["SecretString"])
    return open_provider(os.environ.get("HYGIENE_PROVIDER", ""), Target(name, labels, hosts, secret))
