"""HashiCorp Vault and OpenBao by hvac, KV version 2: ``vault://MOUNT[/PREFIX]`` or ``openbao://…``."""

from __future__ import annotations

from hygiene.errors import UsageError
from hygiene.reference import check_name
from hygiene.store.backends.vault.client import connect
from hygiene.store.backends.vault.store import VaultStore
from hygiene.store.protocol import Opening

__all__ = ["VaultStore", "open_backend"]


def open_backend(opening: Opening) -> VaultStore:
    """Open the mount and prefix of ``opening``; server and credentials come from Vault's own variables."""
    path = opening.rest.strip("/")
    if not path:
        raise UsageError(f"{opening.uri} names no mount", hint="write vault://secret, or vault://secret/PREFIX")
    return VaultStore(connect(), uri=opening.uri, scheme=opening.uri.partition(":")[0], path=check_name(path))
