"""Secrets copied between every two kinds of stores by the command: text, objects, bytes, the largest, and versions."""

import itertools
import os
import uuid
from contextlib import ExitStack

import pytest

from hygiene.cli.boundary import run
from hygiene.config import Config
from hygiene.secret import Secret
from hygiene.store.registry import open_store
from tests.contract.places import aws, conjur, embedded, vault

KINDS = {"embedded": embedded, "aws": aws, "vault": vault, "conjur": conjur}
VALUES = {
    "text": "wörd\n".encode(),
    "object": b'{"user": "app", "password": "x y"}',
    "bytes": bytes(range(256)),
    "largest": b"x" * 65_536,
    "newlines": b"\r\n\r\n",
}


@pytest.fixture
def stores(request, tmp_path, monkeypatch):
    """A fresh store of each kind, by name."""
    with ExitStack() as stack:
        places = {name: stack.enter_context(kind(request, tmp_path, monkeypatch)) for name, kind in KINDS.items()}
        monkeypatch.setenv("CONJUR_ACCOUNT", "myorg")
        monkeypatch.chdir(tmp_path)
        yield {name: place.open() for name, place in places.items()}


def folder(store, path):
    """The reference to all below ``path``."""
    inside = store.reference(f"{path}/x")
    return str(inside._replace(path=inside.path.removesuffix("x"), field=""))


@pytest.mark.parametrize(("source", "target"), list(itertools.product(KINDS, repeat=2)))
def test_everything_below_a_path_is_copied_and_again_adds_nothing(stores, source, target, capsys):
    old, new = stores[source], stores[target]
    kept = {name: value for name, value in VALUES.items() if old.capabilities.binary or name != "bytes"}
    for name, value in kept.items():
        old.put(f"from/{name}", Secret(b"the former value"), token=str(uuid.uuid4()))
        old.put(f"from/{name}", Secret(value), token=str(uuid.uuid4()))
    arguments = ["secret", "copy", folder(old, "from"), folder(new, "to")]
    assert run(arguments) == 0
    assert list(new.list("to/")) == []
    refused = "bytes" in kept and not new.capabilities.binary
    assert run([*arguments, "--apply"]) == (5 if refused else 0)
    if refused:
        assert "binary" in capsys.readouterr().err
        old.delete("from/bytes", recoverable=False)
        del kept["bytes"]
        assert run([*arguments, "--apply"]) == 0
    assert {name: new.get(f"to/{name}").reveal() for name in kept} == kept
    both = old.capabilities.versions and new.capabilities.versions
    count = {name: len(new.describe(f"to/{name}").versions) for name in kept}
    assert set(count.values()) == ({2} if both else {1})
    assert run([*arguments, "--apply"]) == 0
    assert {name: len(new.describe(f"to/{name}").versions) for name in kept} == count
    assert {name: old.get(f"from/{name}").reveal() for name in kept} == kept
    assert "wörd" not in "".join(capsys.readouterr())


def test_value_larger_than_any_store_takes_is_refused_before_it_is_sent(stores):
    for store in stores.values():
        with pytest.raises(Exception, match="65537 bytes"):
            store.put("a", Secret(b"x" * 65_537), token=str(uuid.uuid4()))
        assert store.describe("a") is None
    assert os.environ["CONJUR_ACCOUNT"]
    assert open_store("embedded:", Config())
