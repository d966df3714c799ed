"""Conjur beyond the contract, on the fake that CyberArk's own description holds to account."""

import time
import uuid

import pytest

from hygiene.config import Config
from hygiene.errors import AccessDeniedError, NotFoundError, StoreError
from hygiene.reference import parse_reference
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, PENDING, PREVIOUS
from hygiene.store.registry import open_store, store_of
from hygiene.store.resolve import Resolver
from tests.contract.places import conjur


def token():
    return str(uuid.uuid4())


@pytest.fixture
def place(request, tmp_path, monkeypatch):
    with conjur(request, tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def store(place, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return place.open()


@pytest.fixture
def server(conjur_server, place):
    return conjur_server


def test_new_variable_is_rehearsed_first_and_no_policy_is_ever_replaced(store, server):
    store.put("a", Secret(b"v"), token=token())
    store.put("a", Secret(b"w"), token=token())
    store.delete("a", recoverable=False)
    assert server.loads[:2] == [("POST", True), ("POST", False)]
    assert {method for method, _ in server.loads} == {"POST", "PATCH"}


def test_other_readers_see_the_pending_value_only_when_it_is_current(store, server):
    one = store.put("a", Secret(b"old"), token=token())
    two = store.put("a", Secret(b"new"), token=token(), stage=PENDING)
    assert server.variables["team/app/a"]["values"][-1] == b"old"
    store.promote("a", two.id, expect=one.id)
    assert server.variables["team/app/a"]["values"][-1] == b"new"
    assert "team/app/a@pending" not in server.variables
    assert [told.name for told in store.list()] == ["a"]


def test_policy_load_that_is_busy_is_waited_for_and_given_up_in_the_end(store, server):
    server.busy = 3
    store.put("a", Secret(b"v"), token=token())
    assert store.get("a") == Secret(b"v")
    server.busy = 100
    with pytest.raises(StoreError, match="loaded all the time"):
        store.put("b", Secret(b"v"), token=token())
    assert 100 - server.busy <= 5


@pytest.mark.parametrize("status", [502, 503, 429])
def test_passing_trouble_is_retried_and_lasting_trouble_is_bounded(store, server, status):
    store.put("a", Secret(b"v"), token=token())
    server.failures = [status] * 2
    assert store.get("a") == Secret(b"v")
    server.failures = [status] * 100
    with pytest.raises(StoreError, match=str(status)):
        store.get("a")
    assert 100 - len(server.failures) <= 5
    server.failures = []


def test_write_cut_off_before_it_was_noted_keeps_the_former_value(store, server, place, monkeypatch):
    store.put("a", Secret(b"first"), token=token())
    two = store.put("a", Secret(b"old"), token=token())
    once = token()
    server.busy = 100
    with pytest.raises(StoreError):
        store.put("a", Secret(b"new"), token=once)
    server.busy = 0
    fresh = place.open()
    assert fresh.put("a", Secret(b"new"), token=once).id == once
    told = fresh.describe("a")
    assert (told.staged(CURRENT).id, fresh.get("a")) == (once, Secret(b"new"))
    assert fresh.get("a", stage=PREVIOUS) == Secret(b"old")
    assert two.id != once


def test_reader_without_the_privilege_is_told_that_it_may_not_know(store, server, monkeypatch):
    store.put("a", Secret(b"v"), token=token())
    store.put("b", Secret(b"w"), token=token())
    server.permits = {("host/app", "execute", "team/app/a")}
    monkeypatch.setenv("CONJUR_AUTHN_LOGIN", "host/app")
    monkeypatch.setenv("CONJUR_AUTHN_API_KEY", server.keys["host/app"])
    app = open_store(store.uri, Config())
    assert app.get("a") == Secret(b"v")
    with pytest.raises(NotFoundError) as caught:
        app.get("b")
    assert "does not let you know" in caught.value.hint
    with pytest.raises(AccessDeniedError):
        app.put("c", Secret(b"v"), token=token())
    assert [told.name for told in app.list()] == ["a"]


def test_wrong_key_is_told_as_a_refused_login(store, monkeypatch):
    monkeypatch.setenv("CONJUR_AUTHN_API_KEY", "x" * 55)
    with pytest.raises(AccessDeniedError, match="login"):
        open_store(store.uri, Config()).describe("a")


def test_ci_logs_in_by_its_identity_token(store, server, monkeypatch):
    store.put("a", Secret(b"v"), token=token())
    server.permits = {("host/ci", "execute", "team/app/a")}
    monkeypatch.setenv("CONJUR_AUTHN_JWT_SERVICE_ID", "github")
    monkeypatch.setenv("HYGIENE_ID_TOKEN", "good.jwt.token")
    assert open_store(store.uri, Config()).get("a") == Secret(b"v")
    monkeypatch.setenv("HYGIENE_ID_TOKEN", "bad.jwt.token")
    with pytest.raises(AccessDeniedError):
        open_store(store.uri, Config()).get("a")


def test_reference_resolves_by_the_account_of_the_environment(store, monkeypatch):
    store.put("shop/pair", Secret(b'{"id": "one", "key": "two"}'), token=token())
    monkeypatch.setenv("CONJUR_ACCOUNT", "myorg")
    reference = store.reference("shop/pair", field="key")
    assert str(reference) == "ref+conjur://team/app/shop/pair#/key"
    resolver = Resolver(lambda asked: store_of(asked, Config()))
    assert resolver.resolve(parse_reference(str(reference))) == Secret(b"two")


@pytest.mark.parametrize("missing", ["CONJUR_APPLIANCE_URL", "CONJUR_AUTHN_API_KEY"])
def test_missing_settings_are_named(place, monkeypatch, missing):
    monkeypatch.delenv(missing)
    with pytest.raises(StoreError) as caught:
        open_store("conjur://myorg/team/app", Config())
    assert missing in caught.value.hint


def test_server_without_tls_is_refused(place, monkeypatch):
    monkeypatch.setenv("CONJUR_APPLIANCE_URL", "http://conjur.example")
    with pytest.raises(StoreError, match="not https"):
        open_store("conjur://myorg/team/app", Config())


def test_branch_that_does_not_exist_is_told(place):
    with pytest.raises(StoreError):
        open_store("conjur://myorg/nowhere", Config()).put("a", Secret(b"v"), token=token())
