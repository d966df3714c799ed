"""The KV engine as our names see it: the mount found, a name's path and metadata, and what lies beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hygiene.errors import AccessDeniedError, NotFoundError, StoreError
from hygiene.reference import NAME_PATTERN
from hygiene.store.backends.vault.client import Connection
from hygiene.store.backends.vault.notes import Meta, parse_meta

BESIDE = "@pending/"  # a part of paths that no name of ours can be


class KeyValues:
    """The KV entries below one path."""

    def __init__(self, connection: Connection, path: str) -> None:
        """Use ``connection``; ``path`` is the mount and the prefix, told apart by asking the server."""
        self.address = connection.address
        self._connection = connection
        self._path = path
        self._known_mount = ""

    def meta(self, name: str) -> Meta | None:
        """Give the metadata of ``name``, or None."""
        try:
            return parse_meta(self.call(f"look at {name}", "read_secret_metadata", name))
        except NotFoundError:
            return None

    def note(self, name: str, changes: Mapping[str, str | None], *, create: bool = False) -> None:
        """Change the ``custom_metadata`` of ``name``; where ``create``, make it with that and without a value."""
        if create:
            custom = {key: value for key, value in changes.items() if value is not None}
            self.call(f"create {name}", "update_metadata", name, custom_metadata=custom, writes=True)
            return
        mount, path = self._at(name)
        body = {"custom_metadata": dict(changes)}
        self._connection.patch(f"note facts of {name}", f"{mount}/metadata/{path}", body)

    def names(self, folder: str) -> Iterator[str]:
        """Name the secrets below ``folder``, in no order."""
        mount, prefix = self.place()
        path = (prefix + folder).strip("/")
        try:
            answer = self._connection.call(
                "list secrets", lambda client: client.secrets.kv.v2.list_secrets(path, mount_point=mount)
            )
        except NotFoundError:
            return
        for key in answer["data"]["keys"]:
            name = f"{folder}/{key}" if folder else key
            if key.endswith("/") and key != BESIDE:
                yield from self.names(name.rstrip("/"))
            elif NAME_PATTERN.match(name):
                yield name

    def call(self, what: str, method: str, name: str, *, writes: bool = False, **options: Any) -> Any:
        """Call the client's ``method`` of KV version 2 on ``name``, to do ``what``."""
        mount, path = self._at(name)
        return self._connection.call(
            what,
            lambda client: getattr(client.secrets.kv.v2, method)(path, mount_point=mount, **options),
            writes=writes,
        )

    def _at(self, name: str) -> tuple[str, str]:
        """Give the mount and the path of ``name``; what is pending lies below the mount, whatever the prefix."""
        mount, prefix = self.place()
        if name.startswith(BESIDE):
            return mount, BESIDE + prefix + name.removeprefix(BESIDE)
        return mount, prefix + name

    def place(self) -> tuple[str, str]:
        """Give the mount and the prefix (with a final slash, or empty)."""
        if not self._known_mount:
            self._known_mount = self._find_mount()
        prefix = self._path.removeprefix(self._known_mount).strip("/")
        return self._known_mount, f"{prefix}/" if prefix else ""

    def _find_mount(self) -> str:
        try:
            answer = self._connection.call(
                f"find the mount of {self._path}",
                lambda client: client.adapter.get(f"/v1/sys/internal/ui/mounts/{self._path}"),
            )
        except (AccessDeniedError, NotFoundError):
            return self._path.split("/", 1)[0]  # may not look: the first part, as vals and the vault program do
        data = answer["data"]
        if data.get("type") not in ("kv", "generic") or (data.get("options") or {}).get("version") != "2":
            raise StoreError(
                f"the mount {data.get('path')} is not a KV engine of version 2", hint="vault kv enable-versioning MOUNT"
            )
        return str(data["path"]).strip("/")
