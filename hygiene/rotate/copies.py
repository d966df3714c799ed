"""Copies of a stored value outside of the store, in systems that can't resolve a reference."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from hygiene.errors import ConfigError, ProviderError
from hygiene.rotate.provider import Target
from hygiene.rotate.stored import fields_of
from hygiene.secret import Secret

KINDS = {"github": "hygiene.rotate.githubactions:ActionsSecret"}
_EXTRAS = {"github": "github"}


class Copy(Protocol):
    """One place that a value is copied to. Writing it twice is the same as once."""

    @property
    def place(self) -> str:
        """The place, as it is configured."""

    def write(self, value: Secret) -> None:
        """Put ``value`` there. Raises ProviderError; then it can be tried again."""


class FieldCopy:
    """A copy of one field of a stored object."""

    def __init__(self, copy: Copy, field: str) -> None:
        """Write the field ``field`` to ``copy``."""
        self.place = f"{copy.place}#/{field}"
        self._copy, self._field = copy, field

    def write(self, value: Secret) -> None:
        """Put the field there."""
        found = (fields_of(value) or {}).get(self._field)
        if not isinstance(found, str):
            raise ProviderError(f"the stored value has no field {self._field} to copy to {self._copy.place}")
        self._copy.write(Secret.from_text(found))


def open_copy(text: str, target: Callable[[str], Target]) -> Copy:
    """Open ``KIND:PLACE`` or ``KIND:PLACE#/FIELD``; ``target`` tells of a kind what its provider is told.

    Raises ConfigError for an unknown kind, and ProviderError for what is no place of it.
    """
    kind, _, rest = text.partition(":")
    place, _, field = rest.partition("#/")
    if kind not in KINDS:
        raise ConfigError(f"not a place for copies: {text!r}", hint=f"known are {', '.join(sorted(KINDS))}")
    module, _, name = KINDS[kind].partition(":")
    try:
        made = cast(Callable[[str, Target], Copy], getattr(import_module(module), name))
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"copies to {kind} need a package that is not installed ({error.name})",
            hint=f"pip install 'secret-hygiene[{_EXTRAS[kind]}]'",
        ) from None
    copy = made(place, target(kind))
    return FieldCopy(copy, field) if field else copy
