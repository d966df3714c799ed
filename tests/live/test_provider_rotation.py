"""Every provider that really runs here: works before, is rotated under a client, is dead after; killed, it resumes."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import hvac
import pika
import psycopg
import pymysql
import pytest
import redis
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygiene.journal import Journal
from hygiene.rotate.provider import Killable, Provider, Target, Verdict
from hygiene.rotate.registry import open_provider
from hygiene.rotate.rotation import Rotation
from hygiene.rotate.stored import fields_of, parts_of
from hygiene.secret import Secret
from tests.live.rotating import NAME, Rotating, client
from tests.servers.certificate_authority import TlsAuthority, TlsServer, serving_tls
from tests.servers.database_engine import DatabaseEngine
from tests.servers.mariadb import Mariadb
from tests.servers.moto import Moto, key_ids, new_key_pair
from tests.servers.openbao import OpenBao
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import Rabbitmq
from tests.servers.redis import RedisServer

Text = Callable[[], bytes]


class Case(NamedTuple):
    """One credential at a real counterpart."""

    provider: Provider
    value: Secret
    login: Callable[[Secret], None]  # raises when it does not work; not the provider's own way
    log: Text = lambda: b""
    left: Callable[[], int] | None = None  # how many credentials there are at the provider


def make_redis(request: pytest.FixtureRequest, folder: Path) -> Case:
    server: RedisServer = request.getfixturevalue("redis_server")
    user, password = "u" + secrets.token_hex(4), secrets.token_hex(12)
    server.run("ACL", "SETUSER", user, "on", f">{password}", "~*", "+@all")
    target = Target(NAME, {}, (f"127.0.0.1:{server.port}",), Secret.from_text(server.admin))

    def login(secret: Secret) -> None:
        with redis.Redis.from_url(secret.reveal().decode()) as connection:
            assert connection.acl_whoami() in (user, user.encode())

    def left() -> int:
        with redis.Redis.from_url(server.admin) as connection:
            return len(connection.acl_getuser(user)["passwords"])

    return Case(
        open_provider("redis", target), Secret.from_text(server.url(user, password)), login, server.log.read_bytes, left
    )


def _mysql_login(secret: Secret) -> None:
    user, password = secret.reveal().decode().split("//")[1].split("@")[0].split(":")
    port = int(secret.reveal().decode().rsplit(":", 1)[1].split("/")[0])
    pymysql.connect(host="127.0.0.1", port=port, user=user, password=password).close()


def _postgres_login(secret: Secret) -> None:
    psycopg.connect(secret.reveal().decode(), connect_timeout=5).close()


def make_postgresql(request: pytest.FixtureRequest, folder: Path, *, alternating: bool = False) -> Case:
    server: Postgres = request.getfixturevalue("postgres_server")
    role, password = "u" + secrets.token_hex(4), secrets.token_hex(12)
    server.run(f"create role {role} login password '{password}'", f"create role {role}_b")
    server.log.write_bytes(b"")  # what the test itself says there is in clear
    labels = {"roles": f"{role},{role}_b"} if alternating else {}
    target = Target(
        NAME, labels, (f"127.0.0.1:{server.port}",), Secret.from_text(server.admin) if alternating else None
    )
    value = Secret.from_text(server.url(role, password))
    return Case(open_provider("postgresql", target), value, _postgres_login, server.log.read_bytes)


def make_postgresql_pair(request: pytest.FixtureRequest, folder: Path) -> Case:
    return make_postgresql(request, folder, alternating=True)


def make_aws_iam(request: pytest.FixtureRequest, folder: Path) -> Case:
    server: Moto = request.getfixturevalue("moto_server")
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setenv("AWS_ENDPOINT_URL", server.url)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    iam = server.iam()
    value = Secret.from_text(new_key_pair(iam, "app"))

    def login(secret: Secret) -> None:
        pair = json.loads(secret.reveal())
        keys = {"aws_access_key_id": pair["id"], "aws_secret_access_key": pair["secret"]}
        boto3.client("sts", "us-east-1", **keys).get_caller_identity()

    return Case(open_provider("aws_iam", Target(NAME, {})), value, login, left=lambda: len(key_ids(iam, "app")))


def make_mariadb(request: pytest.FixtureRequest, folder: Path, *, admin: bool = True) -> Case:
    server: Mariadb = request.getfixturevalue("mariadb_server")
    user, password = "u" + secrets.token_hex(4), secrets.token_hex(12)
    server.run(f"create user {user}@'%' identified by '{password}'", f"grant select on shop.* to {user}@'%'")
    server.log.write_bytes(b"")  # what the test itself says there is in clear
    target = Target(NAME, {}, ("127.0.0.1",), Secret.from_text(server.admin) if admin else None)
    value = Secret.from_text(server.url(user, password))
    return Case(open_provider("mariadb", target), value, _mysql_login, server.log.read_bytes)


def make_mariadb_alone(request: pytest.FixtureRequest, folder: Path) -> Case:
    return make_mariadb(request, folder, admin=False)


def make_rabbitmq(request: pytest.FixtureRequest, folder: Path) -> Case:
    server: Rabbitmq = request.getfixturevalue("rabbitmq_server")
    user, password = "u" + secrets.token_hex(4), secrets.token_hex(12)
    server.add_user(user, password)
    hosts = (f"127.0.0.1:{server.port}", server.management)
    target = Target(NAME, {"management": server.management}, hosts, Secret.from_text(server.admin))

    def login(secret: Secret) -> None:
        pika.BlockingConnection(pika.URLParameters(secret.reveal().decode() + "?connection_attempts=1")).close()

    def log() -> bytes:
        return b"".join(path.read_bytes() for path in (server.folder / "log").glob("*.log"))

    return Case(open_provider("rabbitmq", target), Secret.from_text(server.url(user, password)), login, log)


def make_openbao_token(request: pytest.FixtureRequest, folder: Path) -> Case:
    server: OpenBao = request.getfixturevalue("bao_server")
    made = server.client().auth.token.create(policies=["default"], ttl="1h", no_parent=True)
    target = Target(
        f"bao/{secrets.token_hex(4)}", {"address": server.url}, (server.url,), Secret.from_text(server.token)
    )

    def login(secret: Secret) -> None:
        hvac.Client(url=server.url, token=secret.reveal().decode()).auth.token.lookup_self()

    provider: Any = open_provider("openbao_token", target)

    def left() -> int:
        return len(provider.identifiers(Secret(b"x")))

    return Case(provider, Secret.from_text(made["auth"]["client_token"]), login, left=left)


def make_openbao_approle(request: pytest.FixtureRequest, folder: Path) -> Case:
    server: OpenBao = request.getfixturevalue("bao_server")
    client, role = server.client(), "r" + secrets.token_hex(4)
    if "approle/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method("approle")
    client.auth.approle.create_or_update_approle(role, token_policies=["default"])
    role_id = client.auth.approle.read_role_id(role)["data"]["role_id"]
    secret_id = client.auth.approle.generate_secret_id(role)["data"]["secret_id"]
    target = Target(NAME, {"address": server.url, "role": role}, (server.url,), Secret.from_text(server.token))

    def login(secret: Secret) -> None:
        session = hvac.Client(url=server.url)
        session.auth.approle.login(**json.loads(secret.reveal()))
        session.auth.token.revoke_self()

    def left() -> int:
        return len(client.auth.approle.list_secret_id_accessors(role)["data"]["keys"])

    value = Secret.from_text(json.dumps({"role_id": role_id, "secret_id": secret_id}))
    return Case(open_provider("openbao_approle", target), value, login, left=left)


def make_ssh(request: pytest.FixtureRequest, folder: Path) -> Case:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    file = folder / "authorized_keys"
    file.write_text(f'# ours\nfrom="10.0.0.1" {public} deploy@host\nssh-ed25519 AAAAother other\n')

    def login(secret: Secret) -> None:
        """What sshd does first: derive the public key, and look for it."""
        path = folder / "key"
        path.write_bytes(secret.reveal())
        path.chmod(0o600)
        told = subprocess.run(["ssh-keygen", "-y", "-f", str(path)], capture_output=True, text=True, check=True)
        assert " ".join(told.stdout.split()[:2]) in file.read_text()

    def left() -> int:
        lines = file.read_text().splitlines()
        assert lines[0] == "# ours" and "ssh-ed25519 AAAAother other" in lines
        return sum(line.startswith('from="10.0.0.1" ') and line.endswith("deploy@host") for line in lines)

    target = Target(NAME, {"authorized_keys": str(file)})
    return Case(open_provider("ssh", target), Secret(private), login, left=left)


def make_openbao_database(request: pytest.FixtureRequest, folder: Path, *, static: bool = False) -> Case:
    bao: OpenBao = request.getfixturevalue("bao_server")
    server: Postgres = request.getfixturevalue("postgres_server")
    engine = DatabaseEngine(bao, server)
    engine.role()
    fields = {"host": "127.0.0.1", "port": server.port, "database": "postgres"}
    labels = {"address": bao.url, "mount": engine.mount}
    if static:
        labels["static_role"] = engine.static_role()
        fields |= engine.static_login(labels["static_role"])
    else:
        labels |= {"role": engine.name, "policy": engine.policy()}
        fields |= engine.lease()
    server.log.write_bytes(b"")  # what the test itself says there is in clear
    target = Target(NAME, labels, (bao.url, f"127.0.0.1:{server.port}"), Secret.from_text(bao.token))

    def login(secret: Secret) -> None:
        told = json.loads(secret.reveal())
        psycopg.connect(
            host=told["host"],
            port=told["port"],
            user=told["username"],
            password=told["password"],
            dbname="postgres",
            connect_timeout=5,
        ).close()

    value = Secret.from_text(json.dumps(fields))
    return Case(open_provider("openbao_database", target), value, login, left=None if static else engine.leases)


def make_openbao_static(request: pytest.FixtureRequest, folder: Path) -> Case:
    return make_openbao_database(request, folder, static=True)


def make_tls(request: pytest.FixtureRequest, folder: Path) -> Case:
    authority = TlsAuthority(folder)
    target = Target(NAME, {"crl": str(authority.crl)}, (), authority.secret)
    server = request.getfixturevalue("tls_servers")(authority)

    def login(secret: Secret) -> None:
        server.handshake(secret.reveal(), folder)

    return Case(open_provider("tls", target), authority.issue("api.shop.example"), login)


_SCRIPT = """
import json, sys, pathlib
told, file = json.load(sys.stdin), pathlib.Path(sys.argv[1])
valid = set(json.loads(file.read_text()))
if sys.argv[2] == "issue":
    valid.add(told["new"])
elif sys.argv[2] == "verify":
    sys.exit(0 if told["current"] in valid else 1)
else:
    valid.discard(told["old"])
new = file.with_suffix(".new")
new.write_text(json.dumps(sorted(valid)))
new.replace(file)
"""


def make_command(request: pytest.FixtureRequest, folder: Path) -> Case:
    script, file, value = folder / "rotate.py", folder / "valid.json", secrets.token_hex(12)
    script.write_text(_SCRIPT)
    file.write_text(json.dumps([value]))
    labels = {"command": f"{sys.executable} {script} {file}", "overlap": "true"}

    def login(secret: Secret) -> None:
        assert secret.reveal().decode() in json.loads(file.read_text())

    return Case(
        open_provider("command", Target(NAME, labels)),
        Secret.from_text(value),
        login,
        left=lambda: len(json.loads(file.read_text())),
    )


CASES = {
    "postgresql": make_postgresql,
    "postgresql-pair": make_postgresql_pair,
    "aws-iam": make_aws_iam,
    "redis": make_redis,
    "mariadb": make_mariadb,
    "mariadb-alone": make_mariadb_alone,
    "rabbitmq": make_rabbitmq,
    "openbao-token": make_openbao_token,
    "openbao-approle": make_openbao_approle,
    "openbao-database": make_openbao_database,
    "openbao-static": make_openbao_static,
    "tls": make_tls,
    "ssh": make_ssh,
    "command": make_command,
}


@pytest.fixture(params=CASES)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Case]:
    counter = iter(range(100))

    def build() -> Case:
        folder = tmp_path / str(next(counter))
        folder.mkdir()
        return CASES[request.param](request, folder)

    return build


@pytest.fixture
def tls_servers() -> Iterator[Callable[[TlsAuthority], TlsServer]]:
    """Start servers that ask for a client's certificate; all end with the test."""
    with ExitStack() as running:
        yield lambda authority: running.enter_context(serving_tls(authority))


def works(case: Case, secret: Secret) -> bool:
    try:
        case.login(secret)
    except Exception:
        return False
    return True


def _passwords(secret: Secret) -> set[bytes]:
    """What of a stored value is secret: not the user, the host or the id beside it."""
    parts = {part.reveal() for part in parts_of(secret)}
    fields = fields_of(secret) or {}
    return parts - {str(fields.get(name)).encode() for name in ("username", "host", "database", "role_id", "id")}


def assert_rotated(case: Case, rotating: Rotating) -> None:
    current = rotating.current
    assert current != case.value
    assert works(case, current) and not works(case, case.value)
    assert case.provider.verify(current).verdict is Verdict.LIVE
    assert case.provider.verify(case.value).verdict is Verdict.DEAD
    assert case.left is None or case.left() == 1
    assert not rotating.path.exists()


def test_rotation_leaves_only_the_new_value_and_no_failed_login(make: Callable[[], Case], tmp_path: Path) -> None:
    case = make()
    assert works(case, case.value)
    rotating = Rotating(tmp_path, case.value, case.provider)
    with client(rotating.store, case.login) as counted:
        done = rotating.rotate()
    assert done.gap is not case.provider.abilities.overlap
    if case.provider.abilities.overlap:
        assert counted.failures == []
    assert_rotated(case, rotating)
    log = case.log()
    for secret in _passwords(case.value) | _passwords(rotating.current):
        assert secret not in log


class Killed(BaseException):
    """As SIGKILL: no handler of ours runs."""


def test_rotation_killed_after_each_step_resumes(
    make: Callable[[], Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Journal.record
    for event in ("storing", "stored", "issuing", "issued", "verified", "promoted", "revoking", "revoked"):
        case = make()
        folder = tmp_path / f"journal-{event}"
        folder.mkdir()
        rotating = Rotating(folder, case.value, case.provider)
        rotation = rotating.rotation()

        def record(self: Journal, name: str, event: str = event, **facts: Any) -> None:
            original(self, name, **facts)
            if name == event:
                raise Killed

        monkeypatch.setattr(Journal, "record", record)
        with pytest.raises(Killed):
            rotation.run()
        monkeypatch.setattr(Journal, "record", original)
        rotating.rotate()
        assert_rotated(case, rotating)


def test_rotation_killed_between_issue_and_its_note_resumes(
    make: Callable[[], Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make()
    rotating = Rotating(tmp_path, case.value, case.provider)
    rotation = rotating.rotation()
    issue = case.provider.issue

    def killed(current: Secret, prepared: Secret | None) -> Secret:
        issue(current, prepared)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(case.provider, "issue", killed)
        rotation.run()
    rotating.rotate()
    assert_rotated(case, rotating)


def test_abort_after_issue_brings_the_old_value_back(make: Callable[[], Case], tmp_path: Path) -> None:
    case = make()
    if not (case.provider.abilities.prepares or case.provider.abilities.overlap):
        pytest.skip("the old value ends when the server makes the new one")
    rotating = Rotating(tmp_path, case.value, case.provider)
    rotation: Rotation = rotating.rotation()
    if case.provider.abilities.prepares:
        rotation.issuing.store_pending()
    rotation.issuing.issue()
    new = rotation.work.slots.read_new(rotation.work.state.version)
    rotating.rotation().abort()
    assert rotating.current == case.value
    assert works(case, case.value) and not works(case, new)


def test_kill_ends_the_credential(make: Callable[[], Case]) -> None:
    case = make()
    if not isinstance(case.provider, Killable):
        pytest.skip("this provider ends nothing without a successor")
    if case.provider.name == "aws_iam":
        pytest.skip("moto lets an inactive key through")
    case.provider.kill(case.value)
    case.provider.kill(case.value) if case.provider.name in ("openbao_token", "ssh") else None
    assert not works(case, case.value)
    assert case.provider.verify(case.value).verdict is Verdict.DEAD


def test_host_that_is_not_allowed_is_unknown(make: Callable[[], Case]) -> None:
    case = make()
    if case.provider.name in ("ssh", "command", "aws_iam", "tls"):
        pytest.skip("asks nobody, or only AWS")
    target: Target = case.provider._target  # type: ignore[attr-defined]
    strangers = open_provider(case.provider.name, target._replace(hosts=("db.internal",)))
    assert strangers.verify(case.value).verdict is Verdict.UNKNOWN
