"""A Redis server with ACLs in a file, where the default user can do nothing without its password."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import redis

from tests.servers.process import accepts, free_port, program, running, server_folder, unprivileged


class RedisServer(NamedTuple):
    """A running server."""

    port: int
    admin_password: str
    log: Path

    def url(self, user: str, password: str) -> str:
        """Give the URL that ``user`` connects with."""
        return f"redis://{user}:{password}@127.0.0.1:{self.port}"

    @property
    def admin(self) -> str:
        """The URL of the default user, who may everything."""
        return self.url("default", self.admin_password)

    def run(self, *words: str) -> object:
        """Run a command as the default user."""
        with redis.Redis.from_url(self.admin) as client:
            return client.execute_command(*words)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run a new server; skips where Redis is not installed."""
    server = program("/usr/bin/redis-server", "/usr/local/bin/redis-server")
    password, port = secrets.token_hex(16), free_port()
    with server_folder("redis") as folder:
        acl = folder / "users.acl"
        acl.write_text(f"user default on >{password} ~* &* +@all\n")
        acl.chmod(0o666)
        command = [
            *unprivileged("redis"), server, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
            "--aclfile", str(acl), "--save", "", "--loglevel", "debug",
        ]  # fmt: skip
        log = folder / "log"
        with running(command, log=log, ready=accepts(port)):
            yield RedisServer(port, password, log)
