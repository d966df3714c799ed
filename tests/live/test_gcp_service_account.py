"""Keys of service accounts against a local server that follows Google's documentation, whatever it answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hygiene.errors import ProviderError, RotationError
from hygiene.rotate.net import HttpAnswer
from hygiene.rotate.provider import Target, Verdict
from hygiene.rotate.providers import gcp_service_account
from hygiene.rotate.providers.gcp_service_account import GcpServiceAccountProvider
from hygiene.secret import Secret
from tests.live.rotating import NAME, Rotating, client
from tests.servers.gcp import Gcp
from tests.servers.http_api import MODES, ApiServer, Call, Reply, serving_api

KEYS = "/v1/projects/"


class World:
    def __init__(self, gcp: Gcp, server: ApiServer, folder: Path) -> None:
        self.gcp, self.server = gcp, server
        self.old = Secret.from_text(gcp.stored)
        self.target = Target(NAME, {"address": server.address}, (server.address,))
        self.rotating = Rotating(folder, self.old, self.provider())

    def provider(self) -> GcpServiceAccountProvider:
        return GcpServiceAccountProvider(self.target)

    def verdict(self, secret: Secret) -> Verdict:
        return self.provider().verify(secret).verdict

    def assert_rotated(self) -> None:
        new = json.loads(self.rotating.current.reveal())
        assert self.gcp.keys.keys() == self.gcp.live() == {new["private_key_id"]}
        assert self.verdict(self.rotating.current) is Verdict.LIVE
        assert self.verdict(self.old) is Verdict.DEAD
        assert not self.rotating.path.exists()

    def assert_old(self) -> None:
        assert self.rotating.current == self.old
        assert self.gcp.live() == {json.loads(self.old.reveal())["private_key_id"]}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    gcp = Gcp()
    with serving_api(gcp) as server:
        yield World(gcp, server, tmp_path)


def test_rotation_leaves_the_new_key_only_and_no_failed_login(world: World) -> None:
    def login(secret: Secret) -> None:
        assert world.verdict(secret) is Verdict.LIVE

    with client(world.rotating.store, login) as counted:
        world.rotating.rotate()
    assert counted.failures == [] and counted.logins
    world.assert_rotated()
    assert world.gcp.made == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("alive", [True, False])
def test_verify_of_any_answer_is_never_wrong(world: World, mode: str, alive: bool) -> None:
    if not alive:
        world.gcp.keys.clear()
    world.server.misbehave(mode)
    assert world.verdict(world.old) is Verdict.UNKNOWN


def test_key_is_dead_only_by_the_two_answers_that_say_so(world: World) -> None:
    assert world.verdict(world.old) is Verdict.LIVE
    other = json.dumps({**json.loads(world.gcp.stored), "client_email": "gone@shop.iam.gserviceaccount.com"})
    assert world.verdict(Secret.from_text(other)) is Verdict.DEAD
    identifier = json.loads(world.gcp.stored)["private_key_id"]
    world.gcp.keys[identifier] = (world.gcp.keys[identifier][0], True)
    assert world.verdict(world.old) is Verdict.DEAD


@pytest.mark.parametrize("ahead", [-7200.0, 7200.0])
def test_wrong_clock_is_unknown(world: World, ahead: float) -> None:
    world.gcp.clock = ahead
    check = world.provider().verify(world.old)
    assert check.verdict is Verdict.UNKNOWN and "clock" in check.evidence


@pytest.mark.parametrize("mode", ["forbidden", "limited"])
def test_key_that_is_refused_changes_nothing(world: World, mode: str) -> None:
    world.server.misbehave(mode, "POST", KEYS)
    with pytest.raises(ProviderError):
        world.rotating.rotate()
    world.assert_old()
    assert world.gcp.made == 0 and not world.rotating.path.exists()


@pytest.mark.parametrize("mode", ["broken", "cut", "malformed"])
def test_key_whose_answer_was_lost_is_removed_and_made_once_more(world: World, mode: str) -> None:
    world.server.misbehave(mode, "POST", f"{KEYS}-/serviceAccounts/{world.gcp.email}/keys")
    with pytest.raises(RotationError):
        world.rotating.rotate()
    world.server.misbehave("")
    world.rotating.rotate()
    world.assert_rotated()


@pytest.mark.parametrize("mode", ["forbidden", "limited", "broken", "cut", "malformed"])
def test_revocation_that_fails_is_finished_later(world: World, mode: str) -> None:
    world.server.misbehave(mode, "DELETE")
    try:
        world.rotating.rotate()
    except RotationError:
        assert world.verdict(world.rotating.current) is Verdict.LIVE
        world.server.misbehave("")
        world.rotating.rotate()
    world.server.misbehave("")
    world.assert_rotated()
    assert world.gcp.made == 1


def test_abort_leaves_the_old_key_only(world: World) -> None:
    world.rotating.rotation().issuing.issue()
    assert len(world.gcp.live()) == 2
    world.rotating.rotation().abort()
    world.assert_old()


def test_kill_disables_the_key(world: World) -> None:
    world.provider().kill(world.old)
    assert world.gcp.live() == set() and world.gcp.keys
    assert world.verdict(world.old) is Verdict.DEAD


@pytest.mark.parametrize("kind", ["same", "truncated", "other account", "no data", "not base64"])
def test_server_that_lies_about_the_new_key_leaves_the_old_one(world: World, kind: str) -> None:
    honest = world.server._api

    def lying(call: Call) -> Reply:
        reply = honest(call)
        if not isinstance(reply.body, dict) or "privateKeyData" not in reply.body:
            return reply
        file: dict[str, Any] = json.loads(base64.b64decode(reply.body["privateKeyData"]))
        files = {
            "same": json.loads(world.old.reveal()),
            "truncated": {**file, "private_key": file["private_key"][:-200]},
            "other account": {**file, "client_email": "eve@evil.iam.gserviceaccount.com"},
        }
        data = base64.b64encode(json.dumps(files.get(kind, file)).encode()).decode()
        bodies = {"no data": {}, "not base64": {"privateKeyData": data[:-3] + "!"}}
        return Reply(200, bodies.get(kind, {"privateKeyData": data}))

    world.server._api = lying
    with pytest.raises(RotationError):
        world.rotating.rotate()
    assert world.rotating.current == world.old
    world.server._api = honest
    world.rotating.rotation().abort()
    world.assert_old()
    assert len(world.gcp.keys) == 1


def test_only_google_is_asked_whatever_the_key_file_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(request: Any, **options: Any) -> Any:
        asked.append(f"{request.host} {options['private']}")
        return HttpAnswer(problem="no", sent=False)

    monkeypatch.setattr(gcp_service_account, "fetch", refuse)
    assert GcpServiceAccountProvider(Target(NAME, {})).verify(world.old).verdict is Verdict.UNKNOWN
    assert asked == ["oauth2.googleapis.com False"]
    stranger = GcpServiceAccountProvider(Target(NAME, {"address": "https://evil.example"}))
    assert stranger.verify(world.old).verdict is Verdict.UNKNOWN and len(asked) == 1
