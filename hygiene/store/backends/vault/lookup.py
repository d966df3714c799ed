"""Secrets found by their names, and whose they are."""

from __future__ import annotations

from datetime import datetime

from hygiene.errors import ConflictError, ForeignSecretError, NotFoundError, StoreError
from hygiene.reference import check_name
from hygiene.store.backends.vault import notes
from hygiene.store.backends.vault.kv import KeyValues
from hygiene.store.backends.vault.notes import Meta
from hygiene.store.protocol import OWNER


class Lookup:
    """The secrets of one store."""

    def __init__(self, entries: KeyValues, uri: str) -> None:
        """Look among ``entries``; errors call the store ``uri``."""
        self.uri = uri
        self._entries = entries

    def required(self, name: str) -> Meta:
        """Give the metadata of ``name``; raises :class:`NotFoundError`."""
        meta = self._entries.meta(check_name(name))
        if meta is None or (not meta.current and meta.owner != OWNER):
            raise self.absent(name)
        return meta

    def ours(self, name: str) -> Meta:
        """Give the metadata of ``name``, which must be ours, have a value and not be deleted."""
        meta = self.required(name)
        if not meta.current:
            raise self.absent(name)
        self.check_owner(name, meta)
        if meta.deleted:
            raise deleted_error(ConflictError, name, meta.deleted)
        return meta

    def check_owner(self, name: str, meta: Meta) -> None:
        """Raise :class:`ForeignSecretError` unless the secret is ours."""
        if meta.owner != OWNER:
            raise ForeignSecretError(
                f"{name} in {self.uri} belongs to {meta.owner!r}, so it is left alone",
                hint=f"take it over: hygiene secret adopt {name} (it sets custom_metadata {notes.OWNER_KEY}={OWNER})",
            )

    def absent(self, name: str) -> NotFoundError:
        """Tell that there is no such secret."""
        return NotFoundError(f"no secret {name} in {self.uri}", hint="hygiene secret list shows what is there")


def deleted_error(kind: type[StoreError], name: str, moment: datetime) -> StoreError:
    """Give the error of ``kind`` that tells that a secret was deleted, and how it comes back."""
    return kind(
        f"{name} was deleted at {moment:%Y-%m-%d %H:%M} UTC",
        hint=f"bring it back with: hygiene secret restore {name}",
    )
