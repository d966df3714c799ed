"""The organisation's key: under it the same secret has the same fingerprint in every repository.

One file, private to the user, made at first use. Who shares an inventory shares this file, too: ``HYGIENE_FLEET_KEY``
says where it lies.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import final

from hygiene.detect.fingerprint import fingerprint
from hygiene.errors import ConfigError
from hygiene.fileio import create_exclusive, is_private, make_private_folder
from hygiene.places import home_folder

_BYTES = 32
_NAME = "key"


@final
class FleetKey:
    """A key that prints without its bytes; it is pickled, since workers need it."""

    __slots__ = ("_bytes",)

    def __init__(self, value: bytes) -> None:
        """Wrap ``value``."""
        self._bytes = value

    @property
    def id(self) -> str:
        """What tells this key from another, and says nothing about it (16 hex digits)."""
        return hmac.digest(self._bytes, b"hygiene fleet key id", "sha256").hex()[:16]

    def fingerprint(self, family: str, secret: bytes) -> str:
        """Name the leak of ``secret``, found by a rule of ``family``, for the whole organisation."""
        return fingerprint(self._bytes, family, secret)

    def __repr__(self) -> str:
        return f"FleetKey({self.id})"

    def __reduce__(self) -> tuple[type[FleetKey], tuple[bytes]]:
        return FleetKey, (self._bytes,)


def fleet_folder() -> Path:
    """Give the folder of the inventory, the key and the mirrors."""
    return home_folder() / "fleet"


def open_key() -> FleetKey:
    """Read the organisation's key, after making it where there is none. Raises :class:`ConfigError`."""
    override = os.environ.get("HYGIENE_FLEET_KEY", "")
    path = Path(override) if override else fleet_folder() / _NAME
    if not override and not path.exists():
        make_private_folder(path.parent)
        create_exclusive(path, os.urandom(_BYTES).hex().encode() + b"\n")
    return FleetKey(_read(path))


def _read(path: Path) -> bytes:
    try:
        text = path.read_text("ascii", "replace").strip()
    except OSError as error:
        raise ConfigError(f"cannot read the fleet's key {path}: {error.strerror}") from error
    if not is_private(path):
        raise ConfigError(f"others may change the fleet's key {path}", hint=f"chmod 600 {path}")
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != _BYTES:
        raise ConfigError(f"{path} is no key: 64 hexadecimal digits are expected", hint="openssl rand -hex 32")
    return value
