"""A PostgreSQL server that asks everybody for a SCRAM password and logs every statement."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
    with stoppable_postgres(admin_password) as (server, _):
        yield server


@contextmanager
def stoppable_postgres(admin_password: str) -> Iterator[tuple[Postgres, Callable[[float], None]]]:
    """Run a new server; gives what ends it as a crash would, and starts it again after so many seconds, too."""
    initdb = program("/usr/lib/postgresql/15/bin/initdb", "/usr/lib/postgresql/16/bin/initdb", "/usr/bin/initdb")
    users = ("postgres",)
    with server_folder(*users) as folder, ExitStack() as stack:
        server, log, port = _made(initdb, users, folder, admin_password), folder / "log", free_port()
        command = [*server, "-p", str(port)]
        process = [stack.enter_context(running(command, log=log, ready=accepts(port)))]
        running_server = Postgres(port, admin_password, log)
        _create_database(running_server)

        def away(seconds: float) -> None:
            process[0].send_signal(signal.SIGQUIT)  # immediate shutdown: no connection is told, nothing is tidied up
            process[0].wait(20)
            time.sleep(seconds)
            process[0] = stack.enter_context(running(command, log=log, ready=accepts(port)))

        yield running_server, away


def _made(initdb: str, users: tuple[str, ...], folder: Path, admin_password: str) -> list[str]:
    """Make a cluster in ``folder``; gives the command of its server, but for the port."""
    data, secret = folder / "data", folder / "admin"
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
    return [
        *unprivileged(*users), str(Path(initdb).with_name("postgres")), "-D", str(data),
        "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off",
        "-c", "log_statement=all", "-c", "log_connections=on", "-c", "max_connections=40",
    ]  # fmt: skip


def _create_database(server: Postgres) -> None:
    for _ in range(100):
        try:
            with psycopg.connect(server.admin.replace("/shop", "/postgres"), autocommit=True) as connection:
                connection.execute("create database shop")
            return
        except psycopg.OperationalError as error:
            if "starting up" not in str(error):
                raise
