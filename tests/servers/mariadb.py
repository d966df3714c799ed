"""A MariaDB server that logs every statement."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pymysql

from tests.servers.process import free_port, program, running, server_folder, unprivileged


class Mariadb(NamedTuple):
    """A running server."""

    port: int
    admin_password: str
    log: Path

    def url(self, user: str, password: str) -> str:
        """Give the URL that ``user`` connects with."""
        return f"mysql://{user}:{password}@127.0.0.1:{self.port}/shop"

    @property
    def admin(self) -> str:
        """The URL of an administrator."""
        return self.url("administrator", self.admin_password)

    def run(self, *statements: str) -> None:
        """Run statements as the administrator."""
        with (
            pymysql.connect(
                host="127.0.0.1", port=self.port, user="administrator", password=self.admin_password, autocommit=True
            ) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def mariadb() -> Iterator[Mariadb]:
    """Run a new server; skips where MariaDB is not installed."""
    server = program("/usr/sbin/mariadbd", "/usr/sbin/mysqld")
    install = program("/usr/bin/mariadb-install-db", "/usr/bin/mysql_install_db")
    password, port = secrets.token_hex(16), free_port()
    with server_folder("mysql") as folder:
        data, log, first = folder / "data", folder / "log", folder / "init.sql"
        statements = (
            f"create user administrator@'%' identified by '{password}'",
            "grant all on *.* to administrator@'%' with grant option",
            "delete from mysql.global_priv where user = ''",
            "flush privileges",
            "create database shop",
        )
        first.write_text("".join(f"{statement};\n" for statement in statements))
        first.chmod(0o644)
        made = subprocess.run(
            [*unprivileged("mysql"), install, "--no-defaults", f"--datadir={data}", "--skip-test-db"],
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
        command = [
            *unprivileged("mysql"), server, "--no-defaults", f"--datadir={data}", f"--port={port}",
            "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--init-file={first}",
            "--general-log=1", f"--general-log-file={folder}/general", "--skip-name-resolve",
        ]  # fmt: skip
        server_up = Mariadb(port, password, folder / "general")
        with running(command, log=log, ready=lambda: _answers(server_up)):
            first.unlink()
            yield server_up


def _answers(server: Mariadb) -> bool:
    """Say whether the administrator is there: the socket is open before the first statements ran."""
    try:
        server.run("select 1")
    except pymysql.MySQLError:
        return False
    return True
