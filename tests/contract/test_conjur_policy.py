"""Roles as Conjur groups: what the model allows works, what it denies is not even known of."""

import uuid

import pytest

from hygiene.config import Config, Role
from hygiene.errors import ConfigError, ForeignSecretError, HygieneError, NotFoundError
from hygiene.secret import Secret
from hygiene.store.protocol import PENDING
from hygiene.store.registry import open_store
from tests.contract.places import conjur

APP = "conjur:host/app"


@pytest.fixture
def place(request, tmp_path, monkeypatch):
    with conjur(request, tmp_path, monkeypatch) as place:
        yield place


@pytest.fixture
def store(place):
    store = place.open()
    for name in ("shop/db", "shop/api", "other/key"):
        store.put(name, Secret(b"value"), token=str(uuid.uuid4()))
    return store


@pytest.fixture
def as_app(conjur_server, monkeypatch):
    """Open the store as the host, which nobody lets change policies."""

    def open_as_app():
        monkeypatch.setenv("CONJUR_AUTHN_LOGIN", "host/app")
        monkeypatch.setenv("CONJUR_AUTHN_API_KEY", conjur_server.keys["host/app"])
        return open_store("conjur://myorg/team/app", Config())

    return open_as_app


def test_reader_reads_what_the_paths_cover_and_knows_of_nothing_else(store, as_app):
    store.put("shop/db", Secret(b"next"), token=str(uuid.uuid4()), stage=PENDING)
    store.apply_access([Role("reader", (APP,), ("shop/**",), ("read",))])
    mine = as_app()
    assert mine.get("shop/db") == Secret(b"value")
    assert [told.name for told in mine.list()] == ["shop/api", "shop/db"]
    with pytest.raises(NotFoundError):
        mine.get("other/key")
    with pytest.raises(NotFoundError):
        mine.get("shop/db", stage=PENDING)
    with pytest.raises(HygieneError):
        mine.put("shop/db", Secret(b"mine"), token=str(uuid.uuid4()))
    assert store.get("shop/db") == Secret(b"value")


def test_apply_is_rehearsed_changes_nothing_twice_and_never_replaces(store, conjur_server):
    roles = [Role("reader", (APP,), ("shop/*",), ("read",))]
    (planned,) = store.plan_access(roles)
    assert (planned.action, planned.object) == ("write-policy", "hygiene-reader")
    conjur_server.loads.clear()
    assert store.apply_access(roles) == [planned]
    assert conjur_server.loads == [("POST", True), ("POST", False)]
    assert store.apply_access(roles) == []
    assert store.check_access(roles) == []


def test_changed_and_removed_roles_lose_what_they_had(store, as_app, conjur_server):
    store.apply_access([Role("reader", (APP,), ("**",), ("read",))])
    store.apply_access([Role("reader", (APP,), ("other/**",), ("read",))])
    mine = as_app()
    assert mine.get("other/key") == Secret(b"value")
    with pytest.raises(NotFoundError):
        mine.get("shop/db")
    assert [change.action for change in store.apply_access([])] == ["remove-policy"]
    with pytest.raises(NotFoundError):
        as_app().get("other/key")
    assert "PUT" not in {method for method, _ in conjur_server.loads}


def test_secret_stored_since_is_told_by_check_until_the_roles_are_applied_again(store):
    roles = [Role("reader", (APP,), ("shop/**",), ("read",))]
    store.apply_access(roles)
    store.put("shop/new", Secret(b"v"), token=str(uuid.uuid4()))
    assert [change.object for change in store.check_access(roles)] == ["hygiene-reader"]
    store.apply_access(roles)
    assert store.check_access(roles) == []


def test_group_of_a_stranger_is_left_alone(store, conjur_server):
    stranger = {"annotations": {}, "members": set(), "permits": set(), "policy": "team/app"}
    conjur_server.groups["team/app/hygiene-reader"] = {**stranger, "created": "2026-11-24T10:00:00+00:00"}
    with pytest.raises(ForeignSecretError, match="not made by us"):
        store.apply_access([Role("reader", (APP,), ("**",), ("read",))])


@pytest.mark.parametrize("role", [("x", (APP,), ("**",), ("grant",)), ("x", ("conjur:robot/a",), ("**",), ("read",))])
def test_what_conjur_cannot_express_is_refused(store, role):
    with pytest.raises(ConfigError):
        store.plan_access([Role(*role)])
