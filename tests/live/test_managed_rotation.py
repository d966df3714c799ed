"""Secrets Manager's own rotation, started and watched: on moto, with our handler as its function, and PostgreSQL."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from hygiene.errors import ConflictError, RotationError
from hygiene.journal import Journal
from hygiene.rotate.lambda_handler import SecretRotation
from hygiene.rotate.managed import Managed
from hygiene.rotate.provider import Provider, Target, Verdict
from hygiene.rotate.registry import open_provider
from hygiene.secret import Secret
from hygiene.store.backends.aws_secrets_manager import SecretsManagerStore
from hygiene.store.protocol import SelfRotating
from tests.fakes.memory_recorder import MemoryRecorder
from tests.servers.moto import Moto
from tests.servers.postgres import Postgres, works

NAME = "db"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class Aws:
    """moto, and what RotateSecret does on AWS: an empty pending version, and four events for the function."""

    def __init__(self, client: Any, provider: Provider) -> None:
        self.client, self.provider = client, provider
        self.pending: set[str] = set()
        self.starts = 0
        self.steps: tuple[str, ...] = STEPS
        self.threads: list[threading.Thread] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def describe_secret(self, **arguments: str) -> dict[str, Any]:
        told = dict(self.client.describe_secret(**arguments))
        stages = dict(told["VersionIdsToStages"])
        for token in self.pending:
            stages.setdefault(token, ["AWSPENDING"])
        return {**told, "RotationEnabled": True, "VersionIdsToStages": stages}

    def rotate_secret(self, SecretId: str, ClientRequestToken: str, RotateImmediately: bool) -> dict[str, Any]:
        assert RotateImmediately
        self.starts += 1
        self.pending.add(ClientRequestToken)
        thread = threading.Thread(target=self.run, args=(SecretId, ClientRequestToken))
        self.threads.append(thread)
        thread.start()
        return {"VersionId": ClientRequestToken}

    def run(self, secret: str, token: str) -> None:
        for step in self.steps:
            SecretRotation(self, self.provider).handle({"Step": step, "SecretId": secret, "ClientRequestToken": token})


class Remembering:
    """A place that a value is copied to."""

    place = "memory:x"
    value = ""

    def write(self, value: Secret) -> None:
        self.value = value.reveal().decode()


class World:
    def __init__(self, aws: Aws, folder: Path) -> None:
        self.aws, self.folder = aws, folder
        self.store = SecretsManagerStore(aws, uri="awssecrets://us-east-1", region="us-east-1", prefix="")  # type: ignore[arg-type]
        self.recorder = MemoryRecorder()
        self.copies: list[Remembering] = []

    def value(self, stage: str = "AWSCURRENT") -> str:
        return str(self.aws.client.get_secret_value(SecretId=NAME, VersionStage=stage)["SecretString"])

    def managed(self, token: str = "") -> Managed:
        path = self.folder / "journal"
        current = self.store.describe(NAME)
        assert current is not None
        journal = Journal.open(path, "rotate") or Journal.create(
            path, "rotate", name=NAME, token=token or secrets.token_hex(16), old=current.versions[0].id
        )
        return Managed(
            *(self.store, self.store, self.recorder, journal),
            verify=self.aws.provider.verify,
            copies=self.copies,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        for thread in self.aws.threads:
            thread.join(60)


@pytest.fixture
def world(moto_server: Moto, postgres_server: Postgres, tmp_path: Path) -> World:
    moto_server.reset()
    role, password = "man_" + secrets.token_hex(4), secrets.token_hex(12)
    postgres_server.run(f"create role {role} login password '{password}'")
    client = boto3.client(
        "secretsmanager", "us-east-1", endpoint_url=moto_server.url, aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.create_secret(Name=NAME, SecretString=postgres_server.url(role, password))
    provider = open_provider("postgresql", Target(NAME, {}, (f"127.0.0.1:{postgres_server.port}",)))
    return World(Aws(client, provider), tmp_path)


def test_rotation_is_started_watched_and_proved(world: World) -> None:
    old = world.value()
    assert isinstance(world.store, SelfRotating) and world.store.is_self_rotated(NAME)
    done = world.managed().run()
    assert done.outcome == "rotated" and "refused" in done.evidence
    assert world.value() != old and works(world.value()) and not works(old)
    actions = [event.action for event in world.recorder.events() if event.outcome == "ok"]
    assert actions == [
        "rotate.issue",
        "rotate.promote",
        "rotate.verify",
        "rotate.verify",
        "rotate.revoke",
        "rotate.done",
    ]
    assert not (world.folder / "journal").exists()


def test_copies_get_what_the_function_made(world: World) -> None:
    world.copies.append(Remembering())
    world.managed().run()
    assert world.copies[0].value == world.value()


def test_start_whose_answer_was_lost_is_not_repeated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    original: Callable[..., Any] = world.aws.rotate_secret

    def cut(**arguments: Any) -> None:
        original(**arguments)
        raise ConnectionError("cut")

    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(world.aws, "rotate_secret", cut, raising=False)
        world.managed().run()
    assert world.managed().run().outcome == "rotated"
    assert world.aws.starts == 1 and works(world.value())


def test_function_that_stops_half_way_is_watched_again_later(world: World) -> None:
    world.aws.steps = STEPS[:2]
    with pytest.raises(RotationError, match="not finished"):
        world.managed().run()
    world.aws.steps = STEPS
    (token,) = world.aws.pending
    world.aws.run(NAME, token)
    assert world.managed().run().outcome == "rotated" and world.aws.starts == 1


def test_earlier_rotation_that_is_not_complete_is_named(world: World) -> None:
    world.aws.pending.add("0" * 32)
    with pytest.raises(ConflictError, match="not complete") as raised:
        world.managed().run()
    assert "update-secret-version-stage" in raised.value.hint and world.aws.starts == 0


def test_old_value_that_still_works_is_not_called_revoked(world: World) -> None:
    world.aws.steps = ()
    token = secrets.token_hex(16)
    managed = world.managed(token)
    other = world.value() + "?application_name=other"
    world.aws.client.put_secret_value(SecretId=NAME, SecretString=other, ClientRequestToken=token)
    world.aws.pending.add(token)
    with pytest.raises(RotationError, match="still works"):
        managed.run()
    assert not any(event.action == "rotate.revoke" for event in world.recorder.events())
    assert world.aws.provider.verify(Secret.from_text(other)).verdict is Verdict.LIVE
