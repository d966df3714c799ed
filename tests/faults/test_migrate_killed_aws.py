"""``kill -9`` into a migration to AWS Secrets Manager (moto over HTTP): resumed, it writes no second version."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import boto3
import pytest

from hygiene.cli.boundary import run
from tests.faults.test_migrate_killed import RULE, token, tree
from tests.servers.moto import moto
from tests.unit.replace.migrating import git

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")]

COMMAND = [sys.executable, "-m", "hygiene", "migrate", "--apply", "--jobs", "1", "--store", "awssecrets://eu-west-1"]
CALLS = ("sendto", "recvfrom")  # before a request leaves, and when its answer is waited for
POINTS = 24


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with moto(tmp_path_factory.mktemp("moto")) as running:
        yield running


@pytest.fixture
def shop(tmp_path, monkeypatch, server, request):
    """Give a maker of fresh copies: repository, home, and an empty Secrets Manager."""
    import random

    for name, value in (("AWS_ENDPOINT_URL", server.url), ("AWS_DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HYGIENE_CACHE", str(tmp_path / "cache"))

    def make(name):
        server.reset()
        root = tmp_path / name / "shop"
        monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / name / "home"))
        chance = random.Random(3)
        values = [token(chance) for _ in range(3)]
        files = {
            ".hygiene.toml": '[rules]\nfolders = ["rules"]\nonly = true\n',
            "rules/test.toml": RULE,
            "a.py": f'a = "{values[0]}"\nb = "{values[1]}"\n',
            "b.sh": f"B='{values[1]}'\nC='{values[2]}'\n",
        }
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        git(root, "init", "-q", "-b", "main")
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", "Begin")
        monkeypatch.chdir(root)
        return root, [value.encode() for value in values]

    return make


def in_aws() -> dict[str, tuple[str, int]]:
    client = boto3.client("secretsmanager", "eu-west-1")
    names = [item["Name"] for item in client.list_secrets()["SecretList"]]
    return {
        name: (
            client.get_secret_value(SecretId=name, VersionStage="AWSCURRENT").get("SecretString", ""),
            len(client.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]),
        )
        for name in names
    }


def strace(root, *options):
    log = root.parent / "strace.log"
    done = subprocess.run(
        ["strace", "-qq", "-o", str(log), *options, *COMMAND], cwd=root, capture_output=True, timeout=120
    )
    return done, log


def test_migrate_to_aws_killed_anywhere_writes_no_second_version(shop, capfd):
    root, values = shop("undisturbed")
    done, log = strace(root, "-e", f"trace={','.join(CALLS)}")
    assert done.returncode == 0, done.stderr.decode()
    files, secrets = tree(root), in_aws()
    assert sorted(value.encode() for value, _ in secrets.values()) == sorted(values)
    assert {versions for _, versions in secrets.values()} == {1}
    calls = re.findall(r"^(\w+)\(", log.read_text(), re.MULTILINE)
    points = [(call, when) for call in CALLS for when in range(1, calls.count(call) + 1)]
    step = max(1.0, len(points) / POINTS)
    killed = 0
    for index in range(min(POINTS, len(points))):
        call, when = points[int(index * step)]
        root, values = shop(f"{call}-{when}")
        done, _ = strace(root, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}")
        killed += done.returncode != 0
        where = f"killed at {call} number {when}"
        text = b"".join(tree(root).values()) + "".join(value for value, _ in in_aws().values()).encode()
        assert all(value in text for value in values), where
        assert run(["migrate", "--resume"]) == 0, (where, capfd.readouterr())
        if tree(root) != files:
            assert run(["migrate", "--apply", "--store", "awssecrets://eu-west-1"]) == 0, (where, capfd.readouterr())
        assert (tree(root), in_aws()) == (files, secrets), where
    assert killed >= min(POINTS, len(points)) // 2
