"""Values read: the current one, the one pending beside, and former ones by their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hygiene.errors import AccessDeniedError, NotFoundError, StoreError
from hygiene.reference import check_name
from hygiene.secret import Secret
from hygiene.store.backends.vault import form, notes
from hygiene.store.backends.vault.kv import BESIDE, KeyValues
from hygiene.store.backends.vault.lookup import Lookup, deleted_error
from hygiene.store.backends.vault.notes import Meta
from hygiene.store.protocol import CURRENT, OWNER, PENDING, PREVIOUS


class Reader:
    """Reads the values of one store."""

    def __init__(self, entries: KeyValues, lookup: Lookup) -> None:
        """Read from ``entries``."""
        self._entries = entries
        self._lookup = lookup

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value, of the version called ``version`` or the one that carries ``stage``."""
        check_name(name)
        if version is None and stage == CURRENT:
            return self.current(name)
        meta = self._entries.meta(name)
        if meta is None:
            raise self._lookup.absent(name)
        if meta.deleted:
            raise deleted_error(NotFoundError, name, meta.deleted)
        pending = meta.pending
        if pending is not None and (version == pending.token or (version is None and stage == PENDING)):
            return self._value(BESIDE + name, None)
        number = meta.number(version) if version else meta.previous() if stage == PREVIOUS else None
        if number is None:
            what = f"version {version}" if version else f"{stage} version"
            raise NotFoundError(f"{name} has no {what}", hint="hygiene secret history shows the versions")
        return self._value(name, number)

    def current(self, name: str) -> Secret:
        """Read the current value."""
        return self._value(name, None)

    def current_if_allowed(self, name: str) -> Secret | None:
        """Read the current value, or give None where the policies do not let us."""
        try:
            return self.current(name)
        except AccessDeniedError:
            return None

    def _value(self, name: str, number: int | None) -> Secret:
        shown = name.removeprefix(BESIDE)
        try:
            answer = self._entries.call(
                f"read {shown}", "read_secret_version", name, version=number, raise_on_deleted_version=False
            )
        except NotFoundError:
            raise self._lookup.absent(shown) from None
        data = answer["data"]
        told = data.get("metadata") or {}
        if data.get("data") is None:
            raise _gone_error(shown, told)
        return form.secret_from(data["data"], _style(data["data"], told), shown)


def _gone_error(name: str, told: Mapping[str, Any]) -> StoreError:
    when = told.get("deletion_time")
    if when and not told.get("destroyed"):
        return deleted_error(NotFoundError, name, datetime.fromisoformat(when))
    return NotFoundError(f"that version of {name} was destroyed")


def _style(entry: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Give the form that was noted of a version, or is guessed of one of ours; empty for what others wrote."""
    custom = told.get("custom_metadata") or {}
    note = Meta(0, {}, custom, datetime.now(UTC)).note(int(told["version"]))
    ours = custom.get(notes.OWNER_KEY) == OWNER
    return note.form if note else _guessed(entry) if ours else ""


def _guessed(entry: Mapping[str, Any]) -> str:
    """Guess the form of a version of ours that could not be noted."""
    return "t" if entry.keys() == {form.TEXT} else "b" if entry.keys() == {form.BINARY} else "d"
