from __future__ import annotations

import json
import secrets
from pathlib import Path

import psycopg
import pytest

from hygiene.errors import ProviderError, RotationError
from hygiene.rotate.provider import Target, Verdict
from hygiene.rotate.providers.postgresql import PostgresqlProvider
from hygiene.rotate.stored import parts_of
from hygiene.secret import Secret
from tests.live.rotating import NAME, Rotating, client
from tests.servers.postgres import Postgres


def login(secret: Secret) -> None:
    psycopg.connect(secret.reveal().decode(), connect_timeout=5).close()


def works(secret: Secret) -> bool:
    try:
        login(secret)
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def role() -> str:
    return "app_" + secrets.token_hex(4)


@pytest.fixture
def password() -> str:
    return "p%" + secrets.token_hex(12)


def value(server: Postgres, role: str, password: str) -> Secret:
    return Secret.from_text(server.url(role, password.replace("%", "%25")))


def target(server: Postgres, *, admin: bool = False, **labels: str) -> Target:
    return Target(NAME, labels, (f"127.0.0.1:{server.port}",), Secret.from_text(server.admin) if admin else None)


def single(server: Postgres, folder: Path, role: str, password: str, *, admin: bool = False) -> Rotating:
    server.run(f"create role {role} login password '{password}'")
    return Rotating(folder, value(server, role, password), PostgresqlProvider(target(server, admin=admin)))


@pytest.mark.parametrize("admin", [False, True])
def test_single_role_rotated_old_password_dies_and_no_log_shows_either(
    postgres_server: Postgres, tmp_path: Path, role: str, password: str, admin: bool
) -> None:
    rotating = single(postgres_server, tmp_path, role, password, admin=admin)
    old = rotating.current
    assert works(old)
    done = rotating.rotate()
    new = rotating.current
    assert done.gap and done.evidence == "login refused"
    assert works(new) and not works(old)
    log = postgres_server.log.read_bytes()
    assert b"alter role" in log
    for secret in (*parts_of(new), *parts_of(old)[:1]):
        assert secret.reveal() not in log


def test_open_sessions_of_the_leaked_role_end(
    postgres_server: Postgres, tmp_path: Path, role: str, password: str
) -> None:
    rotating = single(postgres_server, tmp_path, role, password)
    with psycopg.connect(rotating.current.reveal().decode(), autocommit=True) as session:
        rotating.rotate()
        with pytest.raises(psycopg.OperationalError, match="terminat"):
            session.execute("select 1")


def test_alternating_roles_rotate_twice_without_a_failed_login(
    postgres_server: Postgres, tmp_path: Path, role: str, password: str
) -> None:
    other = role + "_b"
    postgres_server.run(f"create role {role} login password '{password}'", f"create role {other}")
    provider = PostgresqlProvider(target(postgres_server, admin=True, roles=f"{role}, {other}"))
    rotating = Rotating(tmp_path, value(postgres_server, role, password), provider)
    values = [rotating.current]
    with client(rotating.store, login) as counted:
        for _ in range(2):
            assert not rotating.rotate().gap
            values.append(rotating.current)
    assert counted.failures == [] and counted.logins > 5
    assert [works(secret) for secret in values] == [False, False, True]
    assert f"//{other}:".encode() in values[1].reveal() and f"//{role}:".encode() in values[2].reveal()


def test_abort_after_the_change_brings_the_old_password_back(
    postgres_server: Postgres, tmp_path: Path, role: str, password: str
) -> None:
    rotating = single(postgres_server, tmp_path, role, password)
    old = rotating.current
    rotation = rotating.rotation()
    rotation.issuing.store_pending()
    rotation.issuing.issue()
    assert not works(old)
    rotating.rotation().abort()
    assert works(old) and rotating.current == old


@pytest.mark.parametrize("form", ["object", "password"])
def test_other_stored_forms_are_rotated(
    postgres_server: Postgres, tmp_path: Path, role: str, password: str, form: str
) -> None:
    postgres_server.run(f"create role {role} login password '{password}'")
    login = {"username": role, "host": "127.0.0.1", "port": postgres_server.port, "dbname": "shop"}
    if form == "object":
        stored, labels = json.dumps({"engine": "postgres", **login, "password": password}), {}
    else:
        labels = {"user": role, "host": "127.0.0.1", "port": str(postgres_server.port), "database": "shop"}
        stored = password
    rotating = Rotating(tmp_path, Secret.from_text(stored), PostgresqlProvider(target(postgres_server, **labels)))
    rotating.rotate()
    new = rotating.current.reveal().decode()
    if form == "object":
        fields = json.loads(new)
        assert {**fields, "password": password} == json.loads(stored)
        new = fields["password"]
    assert works(Secret.from_text(postgres_server.url(role, new)))
    assert not works(value(postgres_server, role, password))


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda url: url, Verdict.LIVE),
        (lambda url: url.replace("%25", "%26"), Verdict.DEAD),
        (lambda url: url.replace("app_", "nobody_"), Verdict.DEAD),
        (lambda url: url.replace("/shop", "/no_such_database"), Verdict.LIVE),
        (lambda url: url.replace("127.0.0.1", "127.0.0.2"), Verdict.UNKNOWN),
        (lambda url: url.rpartition(":")[0] + ":1/shop", Verdict.UNKNOWN),
        (lambda url: "not a url", Verdict.UNKNOWN),
        (lambda url: url.replace("127.0.0.1", "127.0.0.1,127.0.0.2"), Verdict.UNKNOWN),
    ],
)
def test_verify_answers_by_what_the_server_says(
    postgres_server: Postgres, role: str, password: str, change: object, verdict: Verdict
) -> None:
    postgres_server.run(f"create role {role} login password '{password}'")
    assert callable(change)
    changed = Secret.from_text(change(value(postgres_server, role, password).reveal().decode()))
    target_ = target(postgres_server)
    provider = PostgresqlProvider(target_._replace(hosts=(*target_.hosts, "127.0.0.1:1")))
    assert provider.verify(changed).verdict is verdict


def test_host_that_is_not_allowed_gets_no_connection(
    postgres_server: Postgres, tmp_path: Path, role: str, password: str
) -> None:
    rotating = single(postgres_server, tmp_path, role, password)
    connections = postgres_server.log.read_text().count("connection received")
    rotating.provider = PostgresqlProvider(Target(NAME, {}, ("db.internal",)))
    with pytest.raises(ProviderError, match="not a host that the configuration allows"):
        rotating.rotate()
    assert postgres_server.log.read_text().count("connection received") == connections
    assert not rotating.path.exists() and works(rotating.current)


def test_role_without_the_right_stops_cleanly(
    postgres_server: Postgres, tmp_path: Path, role: str, password: str
) -> None:
    other = role + "_b"
    postgres_server.run(f"create role {role} login password '{password}'", f"create role {other}")
    powerless = value(postgres_server, role, password)
    provider = PostgresqlProvider(
        target(postgres_server, roles=f"{role},{other}", admin=True)._replace(admin=powerless)
    )
    rotating = Rotating(tmp_path, powerless, provider)
    with pytest.raises(RotationError, match="permission denied"):
        rotating.rotate()
    assert not rotating.path.exists() and works(rotating.current)
