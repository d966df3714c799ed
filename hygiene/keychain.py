"""The identity in the operating system's keyring: macOS Keychain, Secret Service, KWallet."""

from __future__ import annotations

import keyring
from keyring.errors import KeyringError

from hygiene.errors import IdentityError
from hygiene.secret import Secret

_SERVICE = "hygiene"


def read_key(name: str) -> Secret | None:
    """Give the key kept as ``name``, or None; raises :class:`IdentityError` where there is no keyring to ask."""
    try:
        key = keyring.get_password(_SERVICE, name)
    except KeyringError as error:
        raise _error("read", name, error) from error
    return Secret.from_text(key) if key else None


def keep_key(name: str, key: Secret) -> None:
    """Keep ``key`` as ``name``; raises :class:`IdentityError`."""
    try:
        keyring.set_password(_SERVICE, name, key.reveal().decode())
    except KeyringError as error:
        raise _error("keep", name, error) from error


def _error(what: str, name: str, error: KeyringError) -> IdentityError:
    return IdentityError(
        f"cannot {what} the identity {name!r} in the system's keyring ({type(error).__name__})",
        hint="unlock it, or keep the identity in a file: unset HYGIENE_IDENTITY",
    )
