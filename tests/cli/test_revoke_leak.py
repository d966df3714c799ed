"""A leak that is in no store, ended by its own value; and what respond does by policy with one that is stored."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.test_rotate_command import NAME, Shell, works
from tests.e2e.credentials import Forge
from tests.servers.http_api import ApiServer, Reply, serving_api
from tests.servers.http_providers import GitHub
from tests.servers.postgres import Postgres


class World:
    def __init__(self, shell: Shell, fake: GitHub, server: ApiServer) -> None:
        self.shell, self.fake, self.server = shell, fake, server
        config = f'[providers.github]\nhosts = ["{server.address}"]\nsettings = {{ host = "{server.host}" }}\n'
        (shell.repository / ".hygiene.toml").write_text(config)
        commit(shell, "leak.env", f"GITHUB_TOKEN={fake.stored}\n")

    def exposure(self) -> dict[str, object]:
        (told,) = json.loads(self.shell("audit", "exposures", "--json"))["exposures"]
        return dict(told)


def commit(shell: Shell, name: str, text: str) -> None:
    (shell.repository / name).write_text(text)
    person = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    for command in (["add", "-A"], ["commit", "-qm", "leak"]):
        subprocess.run(["git", *person, *command], cwd=shell.repository, check=True)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


@pytest.fixture
def world(shell: Shell) -> Iterator[World]:
    forge = Forge(8)
    fake = type("GitHub", (GitHub,), {"value": lambda _: forge.github()})()
    with serving_api(fake) as server:
        yield World(shell, fake, server)


def test_leak_in_no_store_is_ended_by_its_own_value(world: World) -> None:
    fingerprint = str(world.exposure()["fingerprint"])
    world.shell("revoke", fingerprint, code=2)
    assert "it logs in as ann" in world.shell.stderr and "it may: repo" in world.shell.stderr
    assert world.fake.live() and "locked out" in world.shell.stderr
    assert "now dead" in world.shell("revoke", fingerprint[:20], "--now")
    assert not world.fake.live()
    told = world.exposure()
    assert (told["state"], told["verification"]) == ("closed", "dead")
    assert told["revoked"] and not told["next"]
    assert world.fake.stored not in world.shell("audit", "log", "--json")
    world.shell("audit", "verify")


def test_provider_that_only_says_so_leaves_the_exposure_open(world: World) -> None:
    honest = world.server._api
    world.server._api = lambda call: honest(call) if call.method == "GET" else Reply(202)
    fingerprint = str(world.exposure()["fingerprint"])
    world.shell("revoke", fingerprint, "--now", code=5)
    assert world.fake.live() and world.exposure()["state"] == "open"


def test_unknown_and_stored_leaks_are_refused(world: World) -> None:
    world.shell("revoke", "v1:0000000000", "--now", code=5)
    assert "no leak" in world.shell.stderr
    fingerprint = str(world.exposure()["fingerprint"])
    world.shell("secret", "put", "github", "--label", "rule=github-pat-classic", stdin=world.fake.stored)
    world.shell("respond", "--dry-run", code=1)
    world.shell("revoke", fingerprint, "--now", code=2)
    assert "is stored as" in world.shell.stderr and world.fake.live()


@pytest.mark.parametrize("policy", ["queue", "ask"])
def test_respond_leaves_to_its_policy_what_is_not_rotated_at_once(
    shell: Shell, postgres_server: Postgres, policy: str
) -> None:
    role, password = f"leaked_{policy}", secrets.token_urlsafe(18)
    postgres_server.run(f"create role {role} login password '{password}'")
    url = postgres_server.url(role, password)
    config = f'[providers.postgresql]\nhosts = ["127.0.0.1:{postgres_server.port}"]\n'
    (shell.repository / ".hygiene.toml").write_text(
        f'{config}[[rotation.secrets]]\nnames = "shop/*"\non_leak = "{policy}"\n'
    )
    commit(shell, "a.env", f"DATABASE_URL={url}\n")
    shell("secret", "put", NAME, stdin=url)
    shell("respond", "--json", code=1)
    due = json.loads(shell("secret", "describe", NAME, "--json"))["due"]
    shell("respond", "--json", code=1)
    assert ("asks a person" in shell.stderr) == (policy == "ask")
    told = json.loads(shell("secret", "describe", NAME, "--json"))
    assert told["due"] == due and len(told["versions"]) == 1 and works(url)
    if policy == "ask":
        assert due is None
        return
    assert datetime.fromisoformat(due) <= datetime.now(UTC)
    (done,) = json.loads(shell("rotate", "--due", "--json"))
    assert done["outcome"] == "rotated" and not works(url)
    (exposure,) = json.loads(shell("audit", "exposures", "--json"))["exposures"]
    assert exposure["state"] == "closed"
