"""Secrets of GitHub Actions as copies of a rotated one: sealed, in time, and taken back on abort."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hygiene.errors import ConfigError, ProviderError
from hygiene.rotate.copies import open_copy
from hygiene.rotate.provider import Target
from hygiene.rotate.rotation import Rotation
from hygiene.secret import Secret
from tests.fakes.memory_provider import MemoryProvider
from tests.live.rotating import NAME, Rotating
from tests.servers.github_actions import Actions
from tests.servers.http_api import MODES, ApiServer, serving_api

PLACES = {
    "github:shop/api/DB_PASSWORD": "/repos/shop/api/actions/secrets/DB_PASSWORD",
    "github:shop/api/production/DB_PASSWORD": "/repos/shop/api/environments/production/secrets/DB_PASSWORD",
    "github:shop/DB_PASSWORD": "/orgs/shop/actions/secrets/DB_PASSWORD",
}


class World:
    def __init__(self, actions: Actions, server: ApiServer) -> None:
        self.actions, self.server = actions, server
        self.target = Target(NAME, {"address": server.address}, (server.address,), Secret.from_text(actions.token))

    def write(self, place: str, value: Secret) -> None:
        open_copy(place, lambda _: self.target).write(value)


@pytest.fixture
def world() -> Iterator[World]:
    actions = Actions(*(path.partition("/secrets/")[0] for path in PLACES.values()))
    with serving_api(actions) as server:
        yield World(actions, server)


@pytest.mark.parametrize("place", PLACES)
def test_value_is_sealed_to_the_key_of_its_place(world: World, place: str) -> None:
    value = Secret.from_text("pä$$ word\n")
    world.write(place, value)
    world.write(place, value)
    assert world.actions.values == {PLACES[place]: "pä$$ word\n"}
    sent = json.dumps([call.body for call in world.server.calls])
    assert "word" not in sent


@pytest.mark.parametrize(("visibility", "repositories"), [("all", []), ("private", []), ("selected", list(range(230)))])
def test_who_may_use_an_organisations_secret_stays(world: World, visibility: str, repositories: list[int]) -> None:
    place, path = "github:shop/DB_PASSWORD", PLACES["github:shop/DB_PASSWORD"]
    world.write(place, Secret(b"first"))
    assert world.actions.chosen[path] == ("private", [])
    world.actions.chosen[path] = (visibility, repositories)
    world.write(place, Secret(b"second"))
    assert world.actions.values[path] == "second" and world.actions.chosen[path] == (visibility, repositories)


def test_field_of_an_object_is_copied_alone(world: World) -> None:
    place = "github:shop/api/DB_PASSWORD"
    world.write(f"{place}#/password", Secret(b'{"user": "ann", "password": "only this"}'))
    assert world.actions.values == {PLACES[place]: "only this"}
    with pytest.raises(ProviderError, match="no field token"):
        world.write(f"{place}#/token", Secret(b'{"user": "ann"}'))


@pytest.mark.parametrize("mode", MODES)
def test_answer_that_is_none_is_an_error_and_may_be_tried_again(world: World, mode: str) -> None:
    place = "github:shop/api/DB_PASSWORD"
    world.server.misbehave(mode, "GET")
    with pytest.raises(ProviderError):
        world.write(place, Secret(b"x"))
    assert world.actions.values == {}
    world.server.misbehave(mode, "PUT")
    if mode != "malformed":  # what a 201 says besides does not matter
        with pytest.raises(ProviderError):
            world.write(place, Secret(b"x"))
    world.server.misbehave("")
    world.write(place, Secret(b"x"))
    assert world.actions.values == {PLACES[place]: "x"}


@pytest.mark.parametrize(
    "place",
    [
        "github:",
        "github:a",
        "github:a/b/c/d/E",
        "github:a/../NAME",
        "github:a/b/1NAME",
        "github:a/b/NA-ME",
        "github:a/b c/N",
    ],
)
def test_what_is_no_place_is_refused(world: World, place: str) -> None:
    with pytest.raises(ProviderError, match="not a secret"):
        world.write(place, Secret(b"x"))


def test_unknown_kind_host_and_missing_token_are_refused(world: World) -> None:
    with pytest.raises(ConfigError, match="not a place"):
        world.write("gitlab:a/b/NAME", Secret(b"x"))
    with pytest.raises(ProviderError, match="not a host"):
        open_copy("github:a/b/N", lambda _: world.target._replace(hosts=())).write(Secret(b"x"))
    with pytest.raises(ProviderError, match="token"):
        open_copy("github:a/b/N", lambda _: world.target._replace(admin=None))
    with pytest.raises(ProviderError, match="49153"):
        world.write("github:shop/api/DB_PASSWORD", Secret(b"x" * 49153))
    assert world.server.calls == []


def rotation(world: World, rotating: Rotating) -> Rotation:
    made = rotating.rotation()
    copies = [open_copy(place, lambda _: world.target) for place in PLACES]
    return Rotation(made.work, copies=copies)


def test_workflow_that_reads_the_copy_never_meets_a_dead_value(world: World, tmp_path: Path) -> None:
    provider = MemoryProvider(Secret(b"first"), overlap=True)
    rotating = Rotating(tmp_path, Secret(b"first"), provider)
    for place in PLACES:
        world.write(place, rotating.current)
    stop, failures, logins = threading.Event(), [], []

    def workflow() -> None:
        while not stop.is_set():
            for path in PLACES.values():
                value = world.actions.values[path]
                (logins if Secret.from_text(value) in provider.valid else failures).append(value)

    thread = threading.Thread(target=workflow)
    thread.start()
    rotation(world, rotating).run()
    stop.set()
    thread.join()
    assert failures == [] and logins
    assert set(world.actions.values.values()) == {rotating.current.reveal().decode()}


def test_copy_that_fails_keeps_the_old_value_alive_and_abort_takes_it_back(world: World, tmp_path: Path) -> None:
    old = Secret(b"first")
    provider = MemoryProvider(old, overlap=True)
    rotating = Rotating(tmp_path, old, provider)
    for place in PLACES:
        world.write(place, old)
    world.server.misbehave("broken", "PUT", PLACES["github:shop/DB_PASSWORD"])
    with pytest.raises(ProviderError):
        rotation(world, rotating).run()
    assert old in provider.valid  # two of three have the new value, and all of them work
    world.server.misbehave("")
    rotation(world, rotating).abort()
    assert set(world.actions.values.values()) == {old.reveal().decode()}
    assert rotating.current == old and provider.valid == [old]
    assert [event.detail.get("to") for event in rotating.recorder.events() if event.action == "rotate.copy"]
