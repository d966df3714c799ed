"""Providers that lie: nothing is promoted that is not proved, nothing is revoked that is the last that works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hygiene.errors import HygieneError, ProviderError, RotationError
from hygiene.rotate.provider import Verdict
from hygiene.secret import Secret
from tests.live.rotating import NAME
from tests.live.test_http_providers import World
from tests.servers.http_api import Call, Reply, serving_api
from tests.servers.http_providers import GitLab, SendGrid, Slack

Lie = Callable[[Call, Reply], Reply]


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    fake = request.param()
    with serving_api(fake) as server:
        yield World(fake, server, tmp_path)


def lie(world: World, how: Lie) -> None:
    """Let every answer go through ``how``; the server has acted by then."""
    honest = world.fake.__call__
    world.server._api = lambda call: how(call, honest(call))


def be_honest(world: World) -> None:
    world.server._api = world.fake.__call__


def text(secret: Secret) -> str:
    return secret.reveal().decode()


def is_issue(world: World, call: Call) -> bool:
    method, path = world.fake.issue
    return call.method == method and call.path.startswith(path)


def issued_as(world: World, change: Callable[[str], str]) -> Lie:
    """Tell another new value than the one that was made."""

    def how(call: Call, reply: Reply) -> Reply:
        if not is_issue(world, call) or reply.status >= 300:
            return reply
        key = "token" if "token" in reply.body else "api_key"
        return reply._replace(body={**reply.body, key: change(reply.body[key])})

    return how


@pytest.mark.parametrize("world", [SendGrid], indirect=True)
def test_old_value_given_as_the_new_one_is_refused_and_stays(world: World) -> None:
    lie(world, issued_as(world, lambda _: text(world.old)))
    with pytest.raises(HygieneError):
        world.rotating.rotate()
    assert world.rotating.current == world.old and world.verdict(world.old) is Verdict.LIVE
    be_honest(world)
    world.again()
    world.assert_rotated()


@pytest.mark.parametrize("world", [SendGrid], indirect=True)
def test_truncated_value_is_given_up_and_what_was_made_is_removed(world: World) -> None:
    lie(world, issued_as(world, lambda value: value[:-4]))
    with pytest.raises(RotationError, match="not proved to work"):
        world.rotating.rotate()
    assert world.rotating.current == world.old and len(world.fake.live()) == 2
    be_honest(world)
    world.rotating.rotation().abort()
    assert world.fake.live() == {text(world.old)} and world.rotating.current == world.old


@pytest.mark.parametrize("world", [GitLab], indirect=True)
def test_truncated_value_where_the_old_one_ended_is_replaced_by_hand(world: World) -> None:
    lie(world, issued_as(world, lambda value: value[:-4]))
    with pytest.raises(RotationError, match="not proved to work"):
        world.rotating.rotate()
    be_honest(world)
    with pytest.raises(RotationError, match="no way back"):
        world.rotating.rotation().abort()
    world.rotating.rotation().issuing.take(Secret.from_text(world.fake.make("by hand")))
    world.rotating.rotate()
    assert world.verdict(world.rotating.current) is Verdict.LIVE and not world.rotating.path.exists()
    assert world.fake.issues == 1


@pytest.mark.parametrize("world", [GitLab], indirect=True)
def test_somebody_elses_credential_is_not_promoted(world: World) -> None:
    def how(call: Call, reply: Reply) -> Reply:
        mine = call.headers.get("private-token") == text(world.old)
        return reply if mine or call.method != "GET" else reply._replace(body={**reply.body, "name": "eve"})

    lie(world, how)
    with pytest.raises(RotationError, match="eve's"):
        world.rotating.rotate()
    assert world.rotating.current == world.old


@pytest.mark.parametrize("world", [SendGrid], indirect=True)
def test_revocation_that_only_says_so_is_not_believed(world: World) -> None:
    method, path = world.fake.revoke
    honest = world.fake.__call__
    world.server._api = lambda call: (
        Reply(204) if (call.method, call.path.startswith(path)) == (method, True) else honest(call)
    )
    with pytest.raises(RotationError, match="not proved to be dead"):
        world.rotating.rotate()
    assert world.verdict(world.rotating.current) is Verdict.LIVE and world.rotating.path.exists()
    be_honest(world)
    world.again()
    world.assert_rotated()
    assert world.fake.issues == 1


@pytest.mark.parametrize("world", [SendGrid], indirect=True)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_answer_without_a_value_leaves_no_second_one(world: World, status: int) -> None:
    def how(call: Call, reply: Reply) -> Reply:
        return Reply(status, {"errors": [{"message": "try later"}]}) if is_issue(world, call) else reply

    lie(world, how)
    with pytest.raises(RotationError):
        world.rotating.rotate()
    be_honest(world)
    world.again()
    world.assert_rotated()


@pytest.mark.parametrize("world", [SendGrid], indirect=True)
def test_revocation_that_takes_effect_later_is_waited_for(world: World) -> None:
    asked, honest = [0], world.fake.__call__
    ended: list[Call] = []

    def later(call: Call) -> Reply:
        if call.method == "DELETE":
            ended.append(call)
            return Reply(202)
        asked[0] += bool(ended)
        if asked[0] == 3 and ended:
            honest(ended[0])
        return honest(call)

    world.server._api = later
    try:
        world.rotating.rotate()
    except ProviderError:  # 202 is none of the answers that the table names: asked for again
        world.again()
    be_honest(world)
    world.assert_rotated()


@pytest.mark.parametrize("world", [GitLab, SendGrid, Slack], indirect=True)
@pytest.mark.parametrize(
    "body", [{"error": "internal"}, {"errors": [{"message": "x"}]}, {"ok": False}, {"success": False, "error": "y"}]
)
def test_success_with_an_error_inside_proves_nothing(world: World, body: dict[str, object]) -> None:
    lie(world, lambda _call, _reply: Reply(200, body))
    assert world.verdict(world.old) is Verdict.UNKNOWN


@pytest.mark.parametrize("world", [GitLab], indirect=True)
def test_identity_is_kept_without_the_value(world: World) -> None:
    world.rotating.rotation()
    text_of_journal = world.rotating.path.read_text()
    assert '"identity": "deploy"' in text_of_journal or json.dumps("deploy") in text_of_journal
    assert text(world.old) not in text_of_journal and NAME in text_of_journal
