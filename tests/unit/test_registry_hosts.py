from __future__ import annotations

from pathlib import Path

import pytest

from hygiene.address import registry_around
from hygiene.rotate.registryhosts import client_hosts


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("//packages.shop.example/:_authToken=", "packages.shop.example"),
        ("//packages.shop.example:8443/:_authToken=", "packages.shop.example:8443"),
        ("//Packages.Shop.example/npm/private/:_authToken = '", "packages.shop.example"),
        ("npm config set //packages.shop.example/:_authToken=", "packages.shop.example"),
        ("//packages.shop.example/:_auth=", "packages.shop.example"),
        ("//user@packages.shop.example/:_authToken=", ""),
        ("// see packages.shop.example: _authToken=", ""),
        ("NPM_TOKEN=", ""),
        ("//packages.shop.example/\n:_authToken=", ""),
    ],
)
def test_host_of_the_tokens_own_line(line: str, host: str) -> None:
    text = f"# ours\n{line}npm_0123\n"
    assert registry_around(text.encode(), text.index("npm_0123")).get("host", "") == host


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("NPM_CONFIG_USERCONFIG", "npm_config_userconfig", "NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_hosts_of_the_users_client_the_default_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client_hosts() == ()
    (home / ".npmrc").write_text(
        "@shop:registry=https://scoped.example/\n//tokens.example/:_authToken=x\n; registry=https://comment.example\n"
        "registry = https://Default.example/npm\nregistry=http://clear.example/\nregistry=https://user:pw@odd.example/\n"
    )
    assert client_hosts() == ("default.example", "scoped.example", "tokens.example")
    monkeypatch.setenv("npm_config_registry", "https://first.example/")
    assert client_hosts()[0] == "first.example"
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(home / "none"))
    assert client_hosts() == ("first.example",)
