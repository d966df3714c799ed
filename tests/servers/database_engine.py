"""OpenBao's database engine, mounted for one test, with a real PostgreSQL behind it."""

from __future__ import annotations

import secrets
from typing import Any

from tests.servers.openbao import OpenBao
from tests.servers.postgres import Postgres


class DatabaseEngine:
    """A mount with one connection, as a root login of its own."""

    def __init__(self, bao: OpenBao, server: Postgres) -> None:
        self.client, self._server = bao.client(), server
        self.name = "r" + secrets.token_hex(4)
        self.mount = f"db-{self.name}"
        self.root, self.root_password = f"root_{self.name}", secrets.token_hex(16)
        server.run(f"create role {self.root} login superuser password '{self.root_password}'")
        self.client.sys.enable_secrets_engine("database", path=self.mount)
        self.client.secrets.database.configure(
            "shop",
            "postgresql-database-plugin",
            mount_point=self.mount,
            allowed_roles=["*"],
            connection_url=f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{server.port}/postgres",
            username=self.root,
            password=self.root_password,
            password_authentication="scram-sha-256",
        )

    def role(self) -> None:
        """Make a dynamic role, whose logins live for an hour."""
        self.client.secrets.database.create_role(
            self.name,
            "shop",
            ["create role \"{{name}}\" login password '{{password}}' valid until '{{expiration}}'"],
            default_ttl="1h",
            max_ttl="24h",
            revocation_statements=['drop role if exists "{{name}}"'],
            mount_point=self.mount,
        )

    def policy(self) -> str:
        """Make the policy that may read logins of the role, and give its name."""
        self.client.sys.create_or_update_policy(
            self.name, f'path "{self.mount}/creds/{self.name}" {{ capabilities = ["read"] }}'
        )
        return self.name

    def lease(self) -> dict[str, Any]:
        """Let somebody get a login, as an application does."""
        told = self.client.secrets.database.generate_credentials(self.name, mount_point=self.mount)
        return {**told["data"], "lease_id": told["lease_id"]}

    def leases(self) -> int:
        """Count the logins of the role that live."""
        keys = self.client.list(f"sys/leases/lookup/{self.mount}/creds/{self.name}")
        return len(keys["data"]["keys"]) if keys else 0

    def static_role(self) -> str:
        """Make a role whose password the server changes, and give its name."""
        user = f"static_{self.name}"
        self._server.run(f"create role {user} login password '{secrets.token_hex(12)}'")
        self.client.secrets.database.create_static_role(
            user, "shop", user, ["alter role \"{{name}}\" password '{{password}}'"], "720h", mount_point=self.mount
        )
        return user

    def static_login(self, role: str) -> dict[str, str]:
        """Give the login of a static role."""
        told = self.client.secrets.database.get_static_credentials(role, mount_point=self.mount)["data"]
        return {"username": told["username"], "password": told["password"]}
