"""From a reference to its value: fields, stages, expiry, and errors that name the reference and never a value."""

from datetime import UTC, datetime, timedelta

import pytest

from hygiene.config import Config
from hygiene.errors import UnresolvedReferenceError
from hygiene.reference import parse_reference
from hygiene.secret import Secret
from hygiene.store.registry import open_store
from hygiene.store.resolve import Resolver

TOKENS = [f"{number:032d}" for number in range(9)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path))
    for name in ("HYGIENE_IDENTITY", "HYGIENE_IDENTITY_KEY"):
        monkeypatch.delenv(name, raising=False)
    return open_store("embedded:", Config(), notify=lambda key: None)


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def resolver(store, warnings):
    return Resolver(lambda reference: store, warn=warnings.append)


def reference(store, name, field="", query=()):
    return store.reference(name, field=field)._replace(query=query)


def test_resolve_whole_value_and_field(store, resolver):
    store.put("pair", Secret(b'{"id": "one", "n": 5, "deep": {"a": 1}}'), token=TOKENS[0])
    assert resolver.resolve(reference(store, "pair")).reveal().startswith(b"{")
    assert resolver.resolve(reference(store, "pair", "id")) == Secret(b"one")
    assert resolver.resolve(reference(store, "pair", "n")) == Secret(b"5")
    assert resolver.resolve(reference(store, "pair", "deep")) == Secret(b'{"a": 1}')


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (b"secret-text", "x"),
        (b"[1]", "x"),
        (b'{"a": "secret-text"}', "b"),
        (b'{"a": ""}', "a"),
        (b"\xff{", "a"),
        (b"[" * 60_000, "a"),
    ],
)
def test_resolve_field_that_is_not_there_names_the_reference_and_no_value(store, resolver, value, field):
    store.put("a", Secret(value), token=TOKENS[0])
    with pytest.raises(UnresolvedReferenceError) as caught:
        resolver.resolve(reference(store, "a", field))
    assert f"://a#/{field}" in caught.value.message
    assert "secret-text" not in caught.value.message + caught.value.hint
    assert caught.value.__cause__ is None


def test_resolve_absent_secret_stage_or_version_names_the_reference(store, resolver):
    store.put("a", Secret(b"v"), token=TOKENS[0])
    for asked in (
        reference(store, "none"),
        reference(store, "a", query=(("stage", "pending"),)),
        reference(store, "a", query=(("version", "none"),)),
    ):
        with pytest.raises(UnresolvedReferenceError) as caught:
            resolver.resolve(asked)
        assert str(asked) in caught.value.message


def test_resolve_stage_and_version(store, resolver):
    store.put("a", Secret(b"one"), token=TOKENS[0])
    store.put("a", Secret(b"two"), token=TOKENS[1])
    assert resolver.resolve(reference(store, "a", query=(("stage", "previous"),))) == Secret(b"one")
    assert resolver.resolve(reference(store, "a", query=(("version_id", TOKENS[0]),))) == Secret(b"one")


def test_resolve_reads_each_value_once(store, resolver, monkeypatch):
    store.put("a", Secret(b"v"), token=TOKENS[0])
    asked = parse_reference(str(reference(store, "a")))
    assert resolver.resolve(asked) == Secret(b"v")
    monkeypatch.setattr(type(store), "get", lambda *_, **__: pytest.fail("read twice"))
    assert resolver.resolve(asked) == Secret(b"v")


@pytest.mark.parametrize(("left", "warned"), [(timedelta(days=30), 0), (timedelta(days=3), 1)])
def test_resolve_before_expiry_warns_when_it_is_near(store, resolver, warnings, left, warned):
    store.put("a", Secret(b"v"), token=TOKENS[0], expires=datetime.now(UTC) + left)
    assert resolver.resolve(reference(store, "a")) == Secret(b"v")
    assert len(warnings) == warned


def test_resolve_expired_is_refused_or_warned_of(store, resolver, warnings):
    store.put("a", Secret(b"v"), token=TOKENS[0], expires=datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(UnresolvedReferenceError, match="expired"):
        resolver.resolve(reference(store, "a"))
    lenient = Resolver(lambda _: store, warn_expired=True, warn=warnings.append)
    assert lenient.resolve(reference(store, "a")) == Secret(b"v")
    assert "expired" in warnings[0]
