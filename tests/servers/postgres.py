"""A PostgreSQL server that asks everybody for a SCRAM password and logs every statement."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from tests.servers.process import accepts, free_port, program, running, server_folder, unprivileged

_ADMIN = "admin"


class Postgres(NamedTuple):
    """A running server."""

    port: int
    admin_password: str
    log: Path

    def url(self, user: str, password: str) -> str:
        """Give the URL that ``user`` connects with."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/shop"

    @property
    def admin(self) -> str:
        """The URL of the superuser."""
        return self.url(_ADMIN, self.admin_password)

    def run(self, *statements: str) -> None:
        """Run statements as the superuser."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def works(url: str) -> bool:
    """Say whether the login in ``url`` is let in."""
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def postgres(admin_password: str) -> Iterator[Postgres]:
    """Run a new server; skips where PostgreSQL is not installed."""
    initdb = program("/usr/lib/postgresql/15/bin/initdb", "/usr/lib/postgresql/16/bin/initdb", "/usr/bin/initdb")
    users = ("postgres",)
    with server_folder(*users) as folder:
        yield from _serve(initdb, users, folder, admin_password)


def _serve(initdb: str, users: tuple[str, ...], folder: Path, admin_password: str) -> Iterator[Postgres]:
    data, secret, log = folder / "data", folder / "admin", folder / "log"
    secret.write_text(admin_password)
    secret.chmod(0o644)
    made = subprocess.run(
        [
            *unprivileged(*users), initdb, "--auth=scram-sha-256", f"--username={_ADMIN}", f"--pwfile={secret}",
            "--no-sync", "--encoding=UTF8", "--locale=C", str(data),
        ],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    secret.unlink()
    port = free_port()
    server = [
        *unprivileged(*users), str(Path(initdb).with_name("postgres")), "-D", str(data), "-p", str(port),
        "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off",
        "-c", "log_statement=all", "-c", "log_connections=on", "-c", "max_connections=40",
    ]  # fmt: skip
    with running(server, log=log, ready=accepts(port)):
        running_server = Postgres(port, admin_password, log)
        _create_database(running_server)
        yield running_server


def _create_database(server: Postgres) -> None:
    for _ in range(100):
        try:
            with psycopg.connect(server.admin.replace("/shop", "/postgres"), autocommit=True) as connection:
                connection.execute("create database shop")
            return
        except psycopg.OperationalError as error:
            if "starting up" not in str(error):
                raise
