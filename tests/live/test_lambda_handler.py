"""The four steps of Secrets Manager's rotation, on moto, with a PostgreSQL role behind them."""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Any

import boto3
import pytest

from hygiene.errors import HygieneError, RotationError
from hygiene.rotate import lambda_handler
from tests.servers.moto import Moto
from tests.servers.postgres import Postgres, works

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class Service:
    """Does what RotateSecret does on AWS: an empty pending version. moto instead makes it current."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name, self.token = client, name, str(uuid.uuid4())
        self.enabled = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def describe_secret(self, **arguments: str) -> dict[str, Any]:
        told = dict(self.client.describe_secret(**arguments))
        stages = dict(told["VersionIdsToStages"])
        stages.setdefault(self.token, ["AWSPENDING"])
        return {**told, "RotationEnabled": self.enabled, "VersionIdsToStages": stages}

    def send(self, step: str, token: str = "") -> None:
        lambda_handler.handler({"Step": step, "SecretId": self.name, "ClientRequestToken": token or self.token}, None)

    def value(self, stage: str) -> str:
        return str(self.client.get_secret_value(SecretId=self.name, VersionStage=stage)["SecretString"])

    @property
    def versions(self) -> int:
        return len(self.client.list_secret_version_ids(SecretId=self.name, IncludeDeprecated=True)["Versions"])


@pytest.fixture
def service(moto_server: Moto, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Service:
    moto_server.reset()
    role, password, name = "lam_" + secrets.token_hex(4), secrets.token_hex(12), "db-" + secrets.token_hex(8)
    postgres_server.run(f"create role {role} login password '{password}'")
    client = boto3.client(
        "secretsmanager", "us-east-1", endpoint_url=moto_server.url, aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.create_secret(Name=name, SecretString=postgres_server.url(role, password))
    one = Service(client, name)
    monkeypatch.setattr(lambda_handler.boto3, "client", lambda *_: one)
    monkeypatch.setenv("HYGIENE_PROVIDER", "postgresql")
    monkeypatch.setenv("HYGIENE_HOSTS", f"127.0.0.1:{postgres_server.port}")
    return one


@pytest.mark.parametrize("times", [1, 2])
def test_steps_in_order_rotate_once_however_often_each_is_sent(service: Service, times: int) -> None:
    old = service.value("AWSCURRENT")
    for step in STEPS:
        for _ in range(times):
            service.send(step)
    new = service.value("AWSCURRENT")
    assert new != old and works(new) and not works(old)
    assert service.versions == 2 and service.value("AWSPREVIOUS") == old
    for step in STEPS:  # late repetitions change nothing
        service.send(step)
    assert service.value("AWSCURRENT") == new and works(new)


@pytest.mark.parametrize("step", ["setSecret", "testSecret", "finishSecret"])
def test_step_before_the_value_was_made_fails_and_changes_nothing(service: Service, step: str) -> None:
    old = service.value("AWSCURRENT")
    with pytest.raises(HygieneError):
        service.send(step)
    assert service.value("AWSCURRENT") == old and works(old) and service.versions == 1


def test_finish_before_set_fails_and_keeps_the_old_value(service: Service) -> None:
    old = service.value("AWSCURRENT")
    service.send("createSecret")
    with pytest.raises(RotationError, match="dead"):
        service.send("finishSecret")
    assert service.value("AWSCURRENT") == old and works(old)


def test_wrong_tokens_and_states_are_refused(service: Service) -> None:
    with pytest.raises(RotationError, match="no version"):
        service.send("createSecret", str(uuid.uuid4()))
    with pytest.raises(RotationError, match="unknown step"):
        service.send("nonsense")
    service.enabled = False
    with pytest.raises(RotationError, match="not enabled"):
        service.send("createSecret")
    assert service.versions == 1


def test_version_that_is_not_pending_is_refused(service: Service) -> None:
    for step in STEPS:
        service.send(step)
    ids = service.client.describe_secret(SecretId=service.name)["VersionIdsToStages"]
    previous = next(version for version, stages in ids.items() if "AWSPREVIOUS" in stages)
    with pytest.raises(RotationError, match="not pending"):
        service.send("finishSecret", previous)
    assert json.dumps(ids) == json.dumps(service.client.describe_secret(SecretId=service.name)["VersionIdsToStages"])
