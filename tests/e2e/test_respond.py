"""Fifty leaked credentials of ten kinds, at real servers and at local ones that follow documentation: ``respond``."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.credentials import Forge
from tests.servers.http_api import ApiServer, serving_api
from tests.servers.http_providers import FakeProvider, GitLab, HuggingFace, SendGrid, Stripe
from tests.servers.mariadb import Mariadb
from tests.servers.postgres import Postgres
from tests.servers.redis import RedisServer

EACH = 5
HYGIENE = [sys.executable, "-m", "hygiene"]


class Kind(NamedTuple):
    """Credentials of one kind: as they leaked, as they are stored (where they are), and what becomes of them."""

    name: str
    line: str  # with {} for what leaked
    leaked: list[str]
    stored: list[str]
    labels: dict[str, str]
    state: str


class Loop:
    """A repository, and ``hygiene`` in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.root.mkdir()
        self.git("init", "-q")
        self.environment = {**os.environ, "HYGIENE_HOME": str(folder / "home")}

    def git(self, *arguments: str, author: str = "ann") -> None:
        person = ["-c", f"user.name={author}", "-c", f"user.email={author}@example.org"]
        subprocess.run(["git", "-C", str(self.root), *person, *arguments], check=True)

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        done = subprocess.run(
            [*HYGIENE, *arguments],
            cwd=self.root,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == code, (arguments, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout

    def leak(self, kind: Kind, author: str) -> None:
        """Commit what leaked, and take it out in the next commit."""
        path = self.root / f"config/{kind.name}.env"
        path.parent.mkdir(exist_ok=True)
        lines = [kind.line.format(number, value) for number, value in enumerate(kind.leaked, 1)]
        for text in ("\n".join(lines), "# from the store\n"):
            path.write_text(text)
            self.git("add", "-A", author=author)
            self.git("commit", "-qm", f"work on {kind.name}", author=author)


def logins(kind: str, line: str, make: Callable[[str, str], str]) -> Kind:
    """Make logins at a real server: it leaked under its inner name, and is stored as we reach it."""
    urls = [make("u" + secrets.token_hex(5), secrets.token_hex(14)) for _ in range(EACH)]
    leaked = [url.replace("127.0.0.1", "db.shop-internal.net") for url in urls]
    return Kind(kind, line, leaked, urls, {}, "closed")


def tokens(fake: FakeProvider, server: ApiServer, kind: str, line: str, state: str) -> Kind:
    values = [fake.stored, *(fake.make(f"more {number}") for number in range(EACH - 1))]
    return Kind(kind, line, values, values, {"rule": fake.rule, "host": server.host}, state)


@pytest.fixture
def kinds(
    postgres_server: Postgres, mariadb_server: Mariadb, redis_server: RedisServer
) -> Iterator[tuple[list[Kind], dict[str, tuple[FakeProvider, ApiServer]]]]:
    forge = Forge(secrets.randbits(32))

    def postgres(user: str, password: str) -> str:
        postgres_server.run(f"create role {user} login password '{password}'")
        return postgres_server.url(user, password)

    def mariadb(user: str, password: str) -> str:
        mariadb_server.run(
            f"create user {user}@'%' identified by '{password}'", f"grant select on shop.* to {user}@'%'"
        )
        return mariadb_server.url(user, password)

    def redis(user: str, password: str) -> str:
        redis_server.run("ACL", "SETUSER", user, "on", f">{password}", "~*", "+@all")
        return redis_server.url(user, password)

    def only(kind: str, line: str, make: Callable[[], str], state: str = "open") -> Kind:
        return Kind(kind, line, [make() for _ in range(EACH)], [], {}, state)

    makers = {"gitlab": (GitLab, forge.gitlab), "sendgrid": (SendGrid, None)}
    makers |= {"huggingface": (HuggingFace, forge.hugging_face), "stripe": (Stripe, forge.stripe)}
    with ExitStack() as running:
        apis = {}
        for name, (kind, value) in makers.items():
            fake = type(kind.__name__, (kind,), {"value": lambda _, value=value: value()} if value else {})()
            apis[name] = (fake, running.enter_context(serving_api(fake)))
        yield (
            [
                logins("postgresql", 'DATABASE_URL_{}="{}"', postgres),
                logins("mariadb", 'MYSQL_URL_{}="{}"', mariadb),
                logins("redis", 'REDIS_URL_{}="{}"', redis),
                tokens(*apis["gitlab"], "gitlab", 'GITLAB_TOKEN_{}="{}"', "closed"),
                tokens(*apis["sendgrid"], "sendgrid", 'SENDGRID_API_KEY_{}="{}"', "closed"),
                tokens(*apis["huggingface"], "huggingface", 'HF_TOKEN_{}="{}"', "open"),
                tokens(*apis["stripe"], "stripe", 'STRIPE_SECRET_KEY_{}="{}"', "open"),
                only("github", 'GITHUB_TOKEN_{}="{}"', forge.github),
                only("npm", 'NPM_TOKEN_{}="{}"', forge.npm),
                only("anthropic", 'ANTHROPIC_API_KEY_{}="{}"', forge.anthropic, "accepted"),
            ],
            apis,
        )


def configure(
    loop: Loop,
    apis: dict[str, tuple[FakeProvider, ApiServer]],
    postgres: Postgres,
    mariadb: Mariadb,
    redis: RedisServer,
) -> None:
    hosts = {
        "postgresql": f"127.0.0.1:{postgres.port}",
        "mariadb": f"127.0.0.1:{mariadb.port}",
        "redis": f"127.0.0.1:{redis.port}",
        "gitlab": apis["gitlab"][1].address,
        "twilio": apis["sendgrid"][1].address,
        "huggingface": apis["huggingface"][1].address,
        "stripe": apis["stripe"][1].address,
    }
    allow = '[[allow]]\npath = "config/anthropic.env"\nreason = "revoked at the vendor before the push"\n'
    sections = (f'[providers.{name}]\nhosts = ["{host}"]\n' for name, host in hosts.items())
    (loop.root / ".hygiene.toml").write_text(allow + "".join(sections))
    loop.git("add", "-A")
    loop.git("commit", "-qm", "allow what is dead")


@pytest.mark.slow
def test_respond_ends_with_the_right_state_for_each_of_fifty_leaks(
    tmp_path: Path,
    kinds: tuple[list[Kind], dict[str, tuple[FakeProvider, ApiServer]]],
    postgres_server: Postgres,
    mariadb_server: Mariadb,
    redis_server: RedisServer,
) -> None:
    loop = Loop(tmp_path)
    leaked, apis = kinds
    configure(loop, apis, postgres_server, mariadb_server, redis_server)
    for number, kind in enumerate(leaked):
        loop.leak(kind, ("ann", "bob", "eve")[number % 3])
        for index, value in enumerate(kind.stored):
            labels = [f"--label={key}={text}" for key, text in kind.labels.items()]
            loop("secret", "put", f"{kind.name}/{index}", *labels, stdin=value)

    report = json.loads(loop("respond", "--json", code=1))  # some wait for a person, some are not stored
    exposures = report["exposures"]
    print(Counter((one["rule"], one["state"]) for one in exposures))
    assert len(exposures) == len(leaked) * EACH
    wanted = {(kind.name, kind.state): EACH for kind in leaked}
    assert Counter((Path(one["paths"][0]).stem, one["state"]) for one in exposures) == wanted
    for one in exposures:
        assert one["introduced"]["who"].endswith("@example.org>") and one["commits"]
        if one["state"] == "closed":
            assert one["rotated"] and one["revoked"] and one["verification"] == "dead" and one["evidence"]
    assert apis["gitlab"][0].issues == apis["sendgrid"][0].issues == EACH
    loop("audit", "verify")

    names = [f"{kind.name}/{index}" for kind in leaked for index in range(len(kind.stored))]
    before = [loop("secret", "history", name, "--json") for name in names[:: EACH + 1]]
    again = json.loads(loop("respond", "--json", code=1))
    assert Counter(one["state"] for one in again["exposures"]) == Counter(one["state"] for one in exposures)
    assert [loop("secret", "history", name, "--json") for name in names[:: EACH + 1]] == before
    assert apis["gitlab"][0].issues == apis["sendgrid"][0].issues == EACH
    loop("audit", "verify")
    for form in ("text", "html"):
        told = loop("audit", "report", "--format", form)
        assert "postgresql" in told.lower()
        assert not any(value in told for kind in leaked for value in kind.leaked)
