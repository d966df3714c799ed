"""The canary through every command on every kind of store, and on stores that fail in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.faults.world import ROTATED, STAGED, STORED, World
from tests.servers.ccp import ccp
from tests.servers.conjur import conjur
from tests.servers.moto import moto
from tests.servers.openbao import openbao
from tests.servers.process import free_port

pytestmark = pytest.mark.slow
NAME = "shop/db"


class Place(NamedTuple):
    """A kind of store and what a process needs to reach it."""

    uri: str
    reference: str  # up to the name
    environ: dict[str, str]


@pytest.fixture(params=["embedded", "team", "aws", "vault", "conjur"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if request.param == "embedded":
        yield Place("embedded:", "ref+embedded://", {})
    elif request.param == "team":
        yield Place("embedded:vault", "", {})
    elif request.param == "aws":
        with moto(tmp_path_factory.mktemp("moto")) as server:
            login = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
            region = {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": "eu-central-1"}
            yield Place("awssecrets://eu-central-1/team", "ref+awssecrets://team/", {**login, **region})
    elif request.param == "vault":
        with openbao(tmp_path_factory.mktemp("bao")) as server:
            prefix = f"team/{uuid.uuid4()}"
            login = {"BAO_ADDR": server.url, "BAO_TOKEN": server.token}
            yield Place(f"vault://secret/{prefix}", f"ref+vault://secret/{prefix}/", login)
    else:
        with conjur() as server:
            login = {"CONJUR_AUTHN_LOGIN": "admin", "CONJUR_AUTHN_API_KEY": server.keys["admin"]}
            url = {"CONJUR_APPLIANCE_URL": server.url, "CONJUR_ACCOUNT": "myorg"}
            yield Place("conjur://myorg/team/app", "ref+conjur://team/app/", {**login, **url})


def rotator(world: World) -> str:
    """Write a program that makes the value of a rotation and says what it was told to nobody."""
    program = world.folder / "rotate.sh"
    lines = [
        "#!/bin/sh",
        "told=$(cat)",
        f"case $1 in issue) printf %s '{ROTATED}';;",
        f"  revoke) touch {program}.revoked;;",
        f"  verify) case $told in *{ROTATED}*) exit 0;; esac; test ! -e {program}.revoked;;",
        "esac",
    ]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o700)
    return str(program)


def test_canary_every_command_on_every_store(world, place):
    where = ("--store", place.uri)
    environ = place.environ

    def run(*arguments: str, stdin: str = "", codes: tuple[int, ...] = (0,), shows: bool = False) -> None:
        code = world.run(*arguments, stdin=stdin, **environ)
        assert code in codes, (arguments, code, world.stderr.decode())
        assert world.leaks(stdout=not shows) == [], arguments
        told.append(code)

    told: list[int] = []
    config = world.repository.folder / ".hygiene.toml"
    secret = f'[[rotation.secrets]]\nnames = "{NAME}"\nprovider = "command"\n'
    settings = f'settings = {{ command = "{rotator(world)}", makes = "true" }}\n'
    config.write_text(f'[stores.here]\nuri = "{place.uri}"\n{secret}{settings}')
    run("secret", "put", NAME, *where, "--label", "a=b", stdin=STAGED)
    reference = world.stdout.decode().strip()
    run("secret", "put", NAME, *where, "--expires", "30d", stdin=STORED)
    run("secret", "put", NAME, *where, "--expect", "0" * 32, stdin=STORED, codes=(5,))
    run("secret", "put", "shop/pair", *where, stdin=json.dumps({"id": "x", "key": STORED}))
    run("secret", "get", NAME, *where, shows=True)
    assert world.stdout == STORED.encode()
    run("secret", "get", reference, shows=True)
    run("secret", "get", reference + "#/nokey", codes=(5,))
    run("secret", "get", NAME, *where, "--version", "f" * 32, codes=(5,))
    run("secret", "get", NAME, *where, "-o", str(world.folder / "value"))
    for command in ("describe", "history"):
        run("secret", command, NAME, *where, "--json")
        run("secret", command, NAME, *where)
    run("secret", "list", *where, "--json")
    run("secret", "list", *where, "--due", "--expired")
    run("secret", "expire", NAME, *where, "--in", "2d")
    run("secret", "generate", "shop/new", *where)
    run("secret", "generate", "shop/pair2", *where, "--key-pair", "ed25519")
    run("secret", "copy", reference, "ref+embedded://copied/db", "--apply")
    run("secret", "copy", "ref+embedded://copied/db", reference, "--apply")
    run("secret", "adopt", NAME, *where)
    (world.repository.folder / "secrets.toml").write_text(f'DB = "{reference}"\n')
    (world.repository.folder / "config.in").write_text(f"db: '{reference}'\n")
    for form in ("vals", "summon", "eso", "op"):
        run("secret", "export", "--format", form)
    run("run", "--", "sh", "-c", 'test -n "$DB"')
    run(
        "run",
        "--mask",
        "--",
        "sh",
        "-c",
        'echo "got $DB" "$(printf %s "$DB" | cut -c1-99)"; echo "$DB" >&2; exit 3',
        codes=(3,),
    )
    run("run", "--", "/nonexistent", codes=(127,))
    run("run", "--", "sh", "-c", "kill -9 $$", codes=(137,))
    run("run", "--env", f"X={reference}-absent", "--", "true", codes=(5,))
    run("render", "config.in", shows=True)
    run("render", "config.in", "-o", str(world.folder / "rendered"))
    run("render", "config.in", "-o", "/nonexistent/folder/x", codes=(5, 70, 2, 4, 3))
    for command in ("plan", "check", "list", "apply", "plan"):
        run("access", command, *(() if command == "list" else where), codes=(0, 2, 5))
    run("access", "request", "shop/**", "--reason", "look", *where, codes=(0, 2))
    run("rotate", NAME, *where, "--dry-run")
    run("rotate", NAME, *where)
    run("secret", "get", NAME, *where, shows=True)
    assert world.stdout == ROTATED.encode()
    run("rotate", NAME, *where, "--abort", codes=(0, 2, 5))
    run("doctor", codes=(0, 1, 2, 3, 4, 5))
    run("secret", "expire", NAME, *where, "--now")
    run("run", "--", "true", codes=(5,))
    run("render", "config.in", codes=(5,))
    run("secret", "delete", NAME, *where, "--yes", codes=(0, 5))
    run("secret", "restore", NAME, *where, codes=(0, 5))
    run("secret", "delete", NAME, *where, "--yes", "--purge", codes=(0, 2, 5))
    for command in ("log", "verify", "exposures"):
        run("audit", command, codes=(0, 1))
    for form in ("jsonl", "cef", "ocsf"):
        run("audit", "export", "--format", form)


def test_canary_migration_into_every_store_and_back(world, place):
    where = ("--store", place.uri)
    for step in (("migrate", *where), ("migrate", *where, "--apply"), ("migrate", "--rollback")):
        world.run(*step, **place.environ)
        assert b"internal error" not in world.stderr
        assert world.leaks() == [], step
    assert "ghp_" in (world.repository.folder / "app.py").read_text()


def test_canary_store_that_fails_in_the_middle(world, place):
    """The answer is lost, the server is gone, the credentials are wrong: what was in hand is not told."""
    where = ("--store", place.uri)
    assert world.run("secret", "put", NAME, *where, stdin=STORED, **place.environ) == 0
    reference = world.stdout.decode().strip()
    nobody = f"http://127.0.0.1:{free_port()}"
    broken = [
        {"AWS_ENDPOINT_URL": nobody, "BAO_ADDR": nobody, "CONJUR_APPLIANCE_URL": nobody, "AWS_MAX_ATTEMPTS": "2"},
        {"BAO_TOKEN": "wrong", "CONJUR_AUTHN_API_KEY": "k" * 55, "AWS_SECRET_ACCESS_KEY": "wrong"},
    ]
    for change in broken:
        environ = {**place.environ, **{key: value for key, value in change.items() if key in place.environ}}
        for command in (("secret", "put", NAME, *where), ("secret", "get", reference), ("render", "-")):
            world.run(*command, stdin=reference if command[0] == "render" else STORED, **environ)
            assert b"internal error" not in world.stderr, world.stderr.decode()
            assert world.leaks(stdout=command[0] == "secret" and command[1] == "put") == [], command


def test_canary_ccp(world, tmp_path):
    folder = tmp_path / "ccp"
    folder.mkdir()
    with ccp(folder) as server:
        certificate, key = server.issue("client")
        environ = {"CCP_URL": server.url, "CCP_CACERT": str(server.authority), "CCP_CLIENT_CERT": str(certificate)}
        environ["CCP_CLIENT_KEY"] = str(key)
        server.accounts["Safe/db"] = {"Content": STORED, "UserName": "app", "PasswordChangeInProcess": "False"}
        reference = "ref+ccp://app/Safe/db"
        assert world.run("secret", "get", reference, **environ) == 0
        assert world.stdout == STORED.encode()
        assert world.leaks(stdout=False) == []
        assert world.run("run", "--env", f"DB={reference}", "--mask", "--", "sh", "-c", "echo $DB", **environ) == 0
        assert world.stdout == b"***\n"
        assert world.leaks() == []
        assert world.run("secret", "copy", reference, "ref+embedded://from/ccp", "--apply", **environ) == 0
        assert world.leaks() == []
        for failure in ((500, {"ErrorCode": "X", "ErrorMsg": STORED}), (200, f"not JSON {STORED}".encode())):
            server.failures = [failure] * 9
            assert world.run("secret", "get", reference, **environ) == 5
            assert world.leaks() == []
        server.failures = []
        for command in (("secret", "put", "db"), ("secret", "delete", "db", "--yes"), ("secret", "list")):
            assert world.run(*command, "--store", "ccp://app/Safe", stdin=STORED, **environ) == 5
            assert world.leaks() == []


def test_canary_access_for_a_time_among_two_people(world):
    """Request, approval, denial, break-glass, end, and a member who leaves, over a value in a team's store."""
    people = {}
    for person in ("ann", "bob"):
        key = world.folder / person
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
        people[person] = {"HYGIENE_IDENTITY": str(key), "HYGIENE_HOME": str(world.folder / f"home-{person}")}
    ann, bob = ((world.folder / f"{person}.pub").read_text().strip() for person in ("ann", "bob"))
    config = world.repository.folder / ".hygiene.toml"

    def roles(*readers: str) -> None:
        verbs = '["read", "write", "rotate", "delete", "grant"]'
        admin = f'[roles.admin]\nmembers = ["{ann}"]\npaths = ["**"]\nmay = {verbs}\n'
        members = ", ".join(f'"{reader}"' for reader in readers)
        config.write_text(admin + f'[roles.app]\nmembers = [{members}]\npaths = ["app/**"]\nmay = ["read"]\n')

    def run(person: str, *arguments: str, stdin: str = "", code: int = 0) -> str:
        found = world.run(*arguments, stdin=stdin, **people[person])
        assert found == code, (arguments, world.stderr.decode())
        assert STORED.encode() not in world.stderr
        if arguments[:2] != ("secret", "get"):
            assert world.leaks() == [], arguments
        return world.stdout.decode().strip()

    store = ("--store", "embedded:team")
    roles(bob)
    run("ann", "secret", "put", NAME, *store, stdin=STORED)
    run("ann", "access", "apply", *store)
    run("bob", "secret", "get", NAME, *store, code=5)
    asked = run("bob", "access", "request", NAME, "--reason", "incident", "--for", "1h", *store)
    run("bob", "access", "approve", asked, *store, code=5)
    run("ann", "access", "approve", asked, *store)
    assert run("bob", "secret", "get", NAME, *store) == STORED
    asked = run("bob", "access", "request", "other/**", "--reason", "more", *store)
    run("ann", "access", "deny", asked, "--reason", "no", *store)
    run("bob", "access", "request", "x/**", "--reason", "fire", "--break-glass", *store, code=5)
    run("ann", "access", "request", NAME, "--reason", "fire", "--break-glass", *store)
    roles()
    run("ann", "access", "apply", *store)
    run("ann", "access", "list", "--json", *store)
    run("ann", "access", "recovery", "--yes", *store)
    for person in people:
        run(person, "audit", "verify")
        log = run(person, "audit", "log")
        assert "access." in log
        assert not any(STORED.encode() in path.read_bytes() for path in world.folder.rglob("*") if path.is_file())
    assert os.listdir(world.temporary) == []
