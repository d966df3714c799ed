"""A RabbitMQ server with its management API."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hygiene.rotate.jsonapi import JsonApi, basic
from tests.servers.process import accepts, free_port, program, running, server_folder, unprivileged

_ADMIN = "administrator"


class Rabbitmq(NamedTuple):
    """A running server."""

    port: int
    management: str
    admin_password: str
    folder: Path

    def url(self, user: str, password: str) -> str:
        """Give the URL that ``user`` connects with."""
        return f"amqp://{user}:{password}@127.0.0.1:{self.port}/%2F"

    @property
    def admin(self) -> str:
        """The URL of the administrator."""
        return self.url(_ADMIN, self.admin_password)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the management API as the administrator."""
        api = JsonApi("rabbitmq", self.management, [self.management])
        headers = basic(_ADMIN, self.admin_password)
        return api.call(method, path, headers=headers, body=body, ok=(200, 201, 204)).value

    def add_user(self, user: str, password: str) -> None:
        """Make a user that may use the default virtual host."""
        self.call("PUT", f"/api/users/{user}", {"password": password, "tags": ""})
        self.call("PUT", f"/api/permissions/%2F/{user}", {"configure": ".*", "write": ".*", "read": ".*"})


@contextmanager
def rabbitmq() -> Iterator[Rabbitmq]:
    """Run a new server; skips where RabbitMQ is not installed."""
    server = program("/usr/lib/rabbitmq/bin/rabbitmq-server", "/usr/sbin/rabbitmq-server")
    password, port, management, distribution, mapper = secrets.token_hex(16), *(free_port() for _ in range(4))
    with server_folder("rabbitmq") as folder:
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{port}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management}\n"
            f"default_user = {_ADMIN}\ndefault_pass = {password}\nloopback_users = none\n"
            "management_agent.disable_metrics_collector = false\ncollect_statistics_interval = 1000\n"
        )
        (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"test{port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(mapper),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +A 4",
        }
        started = (accepts(port), accepts(management))
        with running(
            [*unprivileged("rabbitmq"), server],
            log=folder / "out",
            ready=lambda: all(check() for check in started),
            seconds=120,
            environment=environment,
        ):
            yield Rabbitmq(port, f"http://127.0.0.1:{management}", password, folder)
