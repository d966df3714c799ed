"""Migrations into services that refuse what comes too fast: they finish, and nothing is written twice."""

from __future__ import annotations

import random

import boto3
import pytest

from hygiene.cli.boundary import run
from tests.faults.test_migrate_killed import RULE, token, tree
from tests.servers.moto import moto
from tests.servers.openbao import openbao
from tests.servers.throttling import AWS, VAULT, throttling
from tests.unit.replace.migrating import git

pytestmark = pytest.mark.slow

SECRETS = 10


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Give the values of a repository with a secret in each of its files, and stand in it."""
    chance = random.Random(11)
    values = [token(chance) for _ in range(SECRETS)]
    root = tmp_path / "shop"
    files = {".hygiene.toml": '[rules]\nfolders = ["rules"]\nonly = true\n', "rules/test.toml": RULE}
    files |= {f"part{number}.py": f'token_{number} = "{value}"\n' for number, value in enumerate(values)}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Begin")
    monkeypatch.chdir(root)
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    return root, values


def test_migrate_to_aws_that_throttles_finishes_with_one_version_each(shop, tmp_path, monkeypatch):
    root, values = shop
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with moto(tmp_path) as server, throttling(server.url, AWS, every=4) as proxy:
        server.reset()
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        assert run(["migrate", "--apply", "--jobs", "1", "--store", "awssecrets://eu-west-1"]) == 0
        client = boto3.client("secretsmanager", "eu-west-1", endpoint_url=server.url)
        names = [
            told["Name"] for page in client.get_paginator("list_secrets").paginate() for told in page["SecretList"]
        ]
        versions = [client.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"] for name in names]
        assert proxy.refused >= 5
    assert len(names) == SECRETS and {len(one) for one in versions} == {1}
    assert not [value for value in values if value.encode() in b"".join(tree(root).values())]


def test_migrate_to_openbao_that_throttles_finishes_with_one_version_each(shop, tmp_path, monkeypatch):
    root, values = shop
    with openbao(tmp_path) as server, throttling(server.url, VAULT, every=4) as proxy:
        monkeypatch.setenv("VAULT_ADDR", proxy.url)
        monkeypatch.setenv("VAULT_TOKEN", server.token)
        assert run(["migrate", "--apply", "--jobs", "1", "--store", "vault://secret/team"]) == 0
        kv = server.client().secrets.kv.v2
        names = kv.list_secrets("team/shop")["data"]["keys"]
        current = {kv.read_secret_metadata(f"team/shop/{name}")["data"]["current_version"] for name in names}
        assert proxy.refused >= 5
    assert len(names) == SECRETS and current == {1}
    assert not [value for value in values if value.encode() in b"".join(tree(root).values())]
