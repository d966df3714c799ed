"""Half-open connections, broken answers, throttling, nonsense and lies, from a hostile server before each backend.

Tries are bounded, the outcome is verified by reading, and the error says what is known and what is not.
"""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime

import pytest

from hygiene.config import Config
from hygiene.errors import HygieneError, StoreError
from hygiene.secret import Secret
from hygiene.store.backends.aws_secrets_manager import client as aws_client
from hygiene.store.backends.conjur import client as conjur_client
from hygiene.store.backends.vault import client as vault_client
from hygiene.store.registry import open_store
from tests.contract.places import aws, conjur, vault
from tests.servers.hostile import CUT, DRIP, LOST, RESET, SILENT, Answer, hostile

ADDRESS = {aws: "AWS_ENDPOINT_URL", vault: "BAO_ADDR", conjur: "CONJUR_APPLIANCE_URL"}
URI = {aws: "awssecrets://eu-central-1/team/app", conjur: "conjur://myorg/team/app"}
SECONDS = 0.5  # in place of the 15 and 20 that a person would wait
MOST_TRIES = 8


class Behind:
    """A store whose server stands behind a hostile one."""

    def __init__(self, kind, server, uri):
        self.kind, self.server, self.uri = kind, server, uri
        self.store = open_store(uri, Config())
        self.waits = []

    def writes(self, request):
        """Whether ``request`` is the one that writes a value."""
        target = request.headers.get("X-Amz-Target", "")
        return target.endswith(("CreateSecret", "PutSecretValue")) or (
            request.method in ("POST", "PUT") and ("/data/" in request.path or "/secrets/" in request.path)
        )

    def reads(self, request):
        """Whether ``request`` is the one that reads a value."""
        target = request.headers.get("X-Amz-Target", "")
        return target.endswith("GetSecretValue") or (
            request.method == "GET" and ("/data/" in request.path or request.path.startswith("/secrets/"))
        )

    def changes(self, request):
        """Whether ``request`` changes what is there without writing a value."""
        if self.kind is aws:
            wanted = ("DeleteSecret", "TagResource", "UntagResource")
            return request.headers.get("X-Amz-Target", "").endswith(wanted)
        return request.method in ("POST", "PUT", "PATCH", "DELETE") and "/authn/" not in request.path

    def once(self, chosen, fault):
        """Do ``fault`` to the first request that is ``chosen``."""
        self.counted = []

        def decide(request):
            if chosen(request):
                self.counted.append(request)
                return fault if len(self.counted) == 1 else None
            return None

        self.server.fault = decide

    def always(self, chosen, fault):
        """Do ``fault`` to every request that is ``chosen``."""
        self.counted = []
        self.server.fault = lambda request: (self.counted.append(request), fault)[1] if chosen(request) else None


@pytest.fixture(params=[aws, vault, conjur], ids=["aws", "vault", "conjur"])
def behind(request, tmp_path, monkeypatch):
    kind = request.param
    with kind(request, tmp_path, monkeypatch) as place:
        uri = URI.get(kind) or place.open().uri
        upstream = __import__("os").environ[ADDRESS[kind]]
        with hostile(upstream) as server:
            monkeypatch.setenv(ADDRESS[kind], server.url)
            made = None
            waits = []
            monkeypatch.setattr(time, "sleep", waits.append)
            shorten(kind, monkeypatch)
            made = Behind(kind, server, uri)
            made.waits = waits
            yield made


def shorten(kind, monkeypatch):
    """Wait for a silent server for a moment only; how long it would be is held by another test."""
    if kind is vault:
        monkeypatch.setattr(vault_client, "_TIMEOUT_SECONDS", SECONDS)
        monkeypatch.setattr(vault_client, "_DEADLINE_SECONDS", 12 * SECONDS)
    elif kind is aws:
        real = aws_client.Config
        monkeypatch.setattr(aws_client, "_DEADLINE_SECONDS", 2 * SECONDS)
        monkeypatch.setattr(
            aws_client, "Config", lambda **o: real(**{**o, "read_timeout": SECONDS, "connect_timeout": 1})
        )
    else:
        monkeypatch.setattr(conjur_client, "_DEADLINE_SECONDS", 2 * SECONDS)


def token():
    return str(uuid.uuid4())


def test_silent_server_is_given_up_and_a_write_says_what_is_not_known(behind):
    store = behind.store
    store.put("a", Secret(b"first"), token=token())
    behind.always(behind.reads, SILENT)
    with pytest.raises(StoreError, match="can't be reached"):
        store.get("a")
    assert 0 < len(behind.counted) <= MOST_TRIES
    behind.always(behind.writes, SILENT)
    with pytest.raises(StoreError, match="not known"):
        store.put("b", Secret(b"p4ssw0rd"), token=token())
    assert 0 < len(behind.counted) <= MOST_TRIES
    assert sum(behind.waits) < 120


def test_server_that_answers_a_byte_at_a_time_is_given_up_like_a_silent_one(behind):
    store = behind.store
    store.put("a", Secret(b"first"), token=token())
    behind.always(behind.reads, DRIP)
    started = time.monotonic()
    with pytest.raises(StoreError, match="can't be reached"):
        store.get("a")
    assert time.monotonic() - started < 60 * SECONDS
    assert 0 < len(behind.counted) <= MOST_TRIES
    once = token()
    behind.always(behind.writes, DRIP)
    with pytest.raises(StoreError, match="not known"):
        store.put("b", Secret(b"p4ssw0rd"), token=once)
    behind.server.fault = lambda _: None
    store.put("b", Secret(b"p4ssw0rd"), token=once)
    assert len(store.describe("b").versions) == 1


@pytest.mark.parametrize("fault", [RESET, CUT, SILENT, Answer(503), Answer(429, b"", (("Retry-After", "99999"),))])
def test_passing_trouble_while_reading_is_retried(behind, fault):
    behind.store.put("a", Secret(b"value"), token=token())
    behind.once(behind.reads, fault)
    if fault == CUT and behind.kind is aws:  # botocore gives it as an empty answer
        with pytest.raises(StoreError, match="not whole"):
            behind.store.get("a")
        behind.server.fault = lambda _: None
    assert behind.store.get("a") == Secret(b"value")
    assert len(behind.counted) <= 3
    assert max(behind.waits, default=0) <= 20


@pytest.mark.parametrize("fault", [RESET, LOST, CUT, Answer(503)])
def test_write_whose_answer_is_lost_ends_as_one_version_with_its_value(behind, fault):
    store, once = behind.store, token()
    store.put("a", Secret(b"first"), token=token())
    behind.once(behind.writes, fault)
    try:
        store.put("a", Secret(b"second"), token=once)
    except StoreError as error:
        assert "not known" in error.message, error.message
        behind.server.fault = lambda _: None
        store.put("a", Secret(b"second"), token=once)
    behind.server.fault = lambda _: None
    assert store.get("a") == Secret(b"second")
    assert [v.id for v in store.describe("a").versions].count(once) == 1
    assert len(store.describe("a").versions) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_lasting_trouble_is_bounded_and_not_quoted(behind, status):
    behind.store.put("a", Secret(b"value"), token=token())
    behind.always(lambda _: True, Answer(status, b'{"errors": ["p4ssw0rd"]}', (("Retry-After", "99999"),)))
    with pytest.raises(StoreError) as caught:
        behind.store.get("a")
    assert 0 < len(behind.counted) <= MOST_TRIES
    assert "p4ssw0rd" not in caught.value.message + caught.value.hint
    assert max(behind.waits, default=0) <= 20


NONSENSE = [b"", b"<html>p4ssw0rd</html>", b"[]", b"null", b'"text"', b'{"data": 7}', b"\xff\xfe", b"{" * 100_000]


@pytest.mark.parametrize("body", NONSENSE, ids=[repr(body[:12]) for body in NONSENSE])
def test_nonsense_in_an_answer_is_an_error_of_ours(behind, body):
    """Conjur answers a value as it is, so that any bytes are one; what is said about variables is JSON there, too."""
    store = behind.store
    store.put("a", Secret(b"value"), token=token())
    value = behind.kind is conjur
    behind.always(lambda r: "/resources" in r.path if value else True, Answer(200, body))
    empty_list = value and body == b"[]"
    for ask in (
        lambda: store.describe("a"),
        *(() if empty_list else (lambda: list(store.list()),)),
        lambda: store.put("a", Secret(b"x"), token=token()),
    ):
        with pytest.raises(HygieneError) as caught:
            ask()
        assert "p4ssw0rd" not in caught.value.message + caught.value.hint
    if not value:
        with pytest.raises(HygieneError):
            store.get("a")


def test_write_that_the_server_claims_and_did_not_do_is_found_out(behind):
    store = behind.store
    store.put("a", Secret(b"first"), token=token())
    claimed = {
        aws: Answer(200, json.dumps({"Name": "team/app/a", "VersionId": "v" * 36}).encode()),
        vault: Answer(200, json.dumps({"data": {"version": 2, "created_time": "2026-11-24T10:00:00Z"}}).encode()),
        conjur: Answer(201),
    }[behind.kind]
    behind.always(behind.writes, claimed)
    with pytest.raises(StoreError, match=r"said|holds another"):
        store.put("a", Secret(b"second"), token=token())
    behind.server.fault = lambda _: None
    assert store.get("a") == Secret(b"first")


@pytest.mark.parametrize("purge", [False, True])
def test_deletion_that_the_server_claims_and_did_not_do_is_found_out(behind, purge):
    store = behind.store
    store.put("a", Secret(b"first"), token=token())
    behind.always(behind.changes, CLAIMED[behind.kind])
    with pytest.raises(StoreError, match=r"said that a was deleted|can't bring"):
        store.delete("a", recoverable=not purge)
    behind.server.fault = lambda _: None
    assert store.get("a") == Secret(b"first")
    if store.capabilities.recoverable_delete or purge:
        store.delete("a", recoverable=not purge)


def test_expiry_that_the_server_claims_to_have_noted_is_found_out(behind):
    store = behind.store
    store.put("a", Secret(b"first"), token=token())
    behind.always(behind.changes, CLAIMED[behind.kind])
    with pytest.raises(StoreError, match="expires"):
        store.expire("a", datetime.now(UTC))
    behind.server.fault = lambda _: None
    assert store.describe("a").expires is None
    store.expire("a", datetime.now(UTC))
    assert store.describe("a").expires is not None
    store.expire("a", None)
    assert store.describe("a").expires is None


# What each server says when all went well.
CLAIMED = {
    aws: Answer(200, b"{}"),
    vault: Answer(204),
    conjur: Answer(201, b'{"created_roles": {}, "version": 1}', (("Content-Type", "application/json"),)),
}
