"""Values cross the network encrypted or not at all, and every answer has its time."""

import threading
import time

import pytest

from hygiene.config import Config
from hygiene.deadline import within
from hygiene.errors import StoreError
from hygiene.store.registry import open_store
from hygiene.store.transport import PLAINTEXT, check_encrypted
from tests.servers.hostile import Answer, hostile

REMOTE = [
    "http://vault.example.org:8200",
    "http://localhost.example.org",
    "http://127.0.0.1.example.org",
    "http://user@10.0.0.7:8200",
    "http://127.0.0.1@vault.example.org",
    "http://[::ffff:10.0.0.7]:8200",
    "HTTP://VAULT.EXAMPLE.ORG",
    "http://0.0.0.0.example.org",
]


@pytest.mark.parametrize(
    "url", ["https://vault.example.org", "http://127.0.0.1:8200", "http://localhost", "http://[::1]:1"]
)
def test_encrypted_or_this_machine_is_taken(url):
    check_encrypted(url, "VAULT_ADDR")


@pytest.mark.parametrize("url", REMOTE)
def test_remote_server_in_the_clear_is_refused_unless_told_loudly(url, monkeypatch):
    monkeypatch.delenv(PLAINTEXT, raising=False)
    with pytest.raises(StoreError, match="not https") as caught:
        check_encrypted(url, "VAULT_ADDR")
    assert PLAINTEXT in caught.value.hint
    for word in ("1", "true", "no", ""):
        monkeypatch.setenv(PLAINTEXT, word)
        with pytest.raises(StoreError):
            check_encrypted(url, "VAULT_ADDR")
    monkeypatch.setenv(PLAINTEXT, "yes")
    check_encrypted(url, "VAULT_ADDR")


@pytest.mark.parametrize("url", ["", "ftp://vault.example.org", "vault.example.org:8200"])
def test_no_url_of_the_web_is_refused_even_when_told(url, monkeypatch):
    monkeypatch.setenv(PLAINTEXT, "yes")
    with pytest.raises(StoreError):
        check_encrypted(url, "VAULT_ADDR")


@pytest.mark.parametrize(
    ("uri", "variable"),
    [
        ("vault://secret/shop", "VAULT_ADDR"),
        ("openbao://secret/shop", "BAO_ADDR"),
        ("awssecrets://eu-central-1", "AWS_ENDPOINT_URL"),
        ("conjur://myorg/app", "CONJUR_APPLIANCE_URL"),
    ],
)
def test_every_store_refuses_a_remote_server_in_the_clear(uri, variable, monkeypatch):
    for name in ("VAULT_ADDR", "BAO_ADDR", PLAINTEXT):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "http://store.example.org")
    with pytest.raises(StoreError, match="not https"):
        open_store(uri, Config())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_into_the_clear_is_not_followed(status, monkeypatch):
    """The token would go along."""
    monkeypatch.delenv(PLAINTEXT, raising=False)
    with hostile("http://127.0.0.1:1") as server:
        server.fault = lambda _: Answer(status, b"", (("Location", "http://vault.example.org/v1/secret/data/a"),))
        monkeypatch.setenv("VAULT_ADDR", server.url)
        monkeypatch.setenv("VAULT_TOKEN", "t0ken")
        with pytest.raises(StoreError, match=r"vault.example.org.*not https"):
            open_store("vault://secret", Config()).get("a")


def test_action_within_its_time_gives_its_result_or_its_error():
    assert within(5, lambda: 7) == 7
    with pytest.raises(KeyError):
        within(5, lambda: {}["x"])


def test_action_that_never_ends_is_given_up():
    never = threading.Event()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        within(0.1, never.wait)
    assert time.monotonic() - started < 5
    never.set()
