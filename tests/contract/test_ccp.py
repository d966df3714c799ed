"""CyberArk's CCP, to read: the reading part of the contract, and the client certificate."""

import time
import uuid

import pytest

from hygiene.config import Config
from hygiene.errors import AccessDeniedError, NotFoundError, StoreError, UnresolvedReferenceError, UsageError
from hygiene.reference import parse_reference
from hygiene.secret import Secret
from hygiene.store.backends import ccp as ccp_client
from hygiene.store.registry import open_store, store_of
from hygiene.store.resolve import Resolver
from tests.servers.ccp import ccp
from tests.servers.hostile import DRIP, Answer, hostile


@pytest.fixture
def server(tmp_path, monkeypatch):
    with ccp(tmp_path) as running:
        certificate, key = running.issue("client")
        for name, value in {"URL": running.url, "CACERT": running.authority, "CLIENT_CERT": certificate}.items():
            monkeypatch.setenv(f"CCP_{name}", str(value))
        monkeypatch.setenv("CCP_CLIENT_KEY", str(key))
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        running.accounts["Safe/db-password"] = {
            "Content": "välue",
            "UserName": "app",
            "PasswordChangeInProcess": "False",
        }
        yield running


@pytest.fixture
def store(server):
    return open_store("ccp://app/Safe", Config())


def test_get_reads_the_value_and_asks_not_for_one_that_dies(store, server):
    assert store.get("db-password") == Secret("välue".encode())
    assert server.asked[-1]["FailRequestOnPasswordChange"] == "true"
    assert store.describe("db-password").owner == "cyberark"


def test_reference_resolves(store):
    reference = store.reference("db-password")
    assert str(reference) == "ref+ccp://app/Safe/db-password"
    resolver = Resolver(lambda asked: store_of(asked, Config()))
    assert resolver.resolve(parse_reference(str(reference))) == Secret("välue".encode())
    with pytest.raises(UnresolvedReferenceError, match="ref\\+ccp://app/Safe/nothing"):
        resolver.resolve(parse_reference("ref+ccp://app/Safe/nothing"))


def test_unknown_account_is_not_found_and_describe_is_none(store):
    assert store.describe("nothing") is None
    with pytest.raises(NotFoundError):
        store.get("nothing")


def test_without_the_client_certificate_nothing_is_read(store, monkeypatch):
    for name in ("CCP_CLIENT_CERT", "CCP_CLIENT_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(StoreError, match="or ours is not"):
        store.get("db-password")


def test_server_with_another_ca_is_not_trusted(store, monkeypatch):
    monkeypatch.delenv("CCP_CACERT")
    with pytest.raises(StoreError, match="not trusted"):
        store.get("db-password")


def test_application_without_the_right_is_told_as_denial(server):
    with pytest.raises(AccessDeniedError, match="APPAP306E"):
        open_store("ccp://other/Safe", Config()).get("db-password")


@pytest.mark.parametrize(
    ("status", "document", "words"),
    [
        (400, {"ErrorCode": "APPAP227E"}, "several accounts"),
        (500, {"ErrorCode": "APPAP999E", "ErrorMsg": "the value välue leaked"}, "APPAP999E"),
        (200, b"<html>login</html>", "does not answer in JSON"),
        (200, {"Content": ""}, "no value"),
        (200, {"Content": 7}, "no value"),
        (200, {"Content": "x", "PasswordChangeInProcess": "True"}, "being changed"),
        (302, b"", "302"),
    ],
)
def test_other_answers_are_told_without_quoting_them(store, server, status, document, words):
    server.failures = [(status, document)] * 4
    with pytest.raises(StoreError, match=words) as caught:
        store.get("db-password")
    assert "välue" not in str(caught.value)


def test_passing_trouble_is_retried_and_bounded(store, server):
    server.failures = [(503, b"")] * 2
    assert store.get("db-password") == Secret("välue".encode())
    server.failures = [(503, b"")] * 100
    with pytest.raises(StoreError, match="503"):
        store.get("db-password")
    assert len(server.failures) == 96


def test_everything_that_changes_is_refused(store):
    assert not store.capabilities.writable
    for change in (
        lambda: store.put("a", Secret(b"v"), token=str(uuid.uuid4())),
        lambda: store.delete("a"),
        lambda: store.promote("a", "b", expect="c"),
        lambda: store.expire("a", None),
    ):
        with pytest.raises(StoreError, match="only be read"):
            change()
    with pytest.raises(StoreError, match="can't list"):
        store.list()


@pytest.mark.parametrize("uri", ["ccp://", "ccp://app", "ccp://app/Safe/more"])
def test_uri_without_application_and_safe_is_refused(uri):
    with pytest.raises(UsageError):
        open_store(uri, Config())


@pytest.mark.parametrize(
    "url", ["", "http://ccp.example.org", "http://localhost.example.org", "http://127.0.0.1.example.org"]
)
def test_server_without_tls_is_refused_unless_it_is_this_machine(store, monkeypatch, url):
    monkeypatch.setenv("CCP_URL", url)
    with pytest.raises(StoreError, match=r"no CCP server|not https"):
        store.get("db-password")


def test_server_that_never_ends_its_answer_is_given_up(store, monkeypatch):
    monkeypatch.setattr(ccp_client, "_DEADLINE_SECONDS", 1)
    with hostile("http://127.0.0.1:1") as slow:
        slow.fault = lambda request: DRIP
        monkeypatch.setattr(slow, "_pass_on", lambda request: Answer(200, b"{}"))
        monkeypatch.setenv("CCP_URL", slow.url)
        with pytest.raises(StoreError, match="can't be reached"):
            store.get("db-password")
    assert len(slow.asked) <= 4
