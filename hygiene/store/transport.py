"""What every store's connection is held to: values and logins cross the network encrypted."""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from hygiene.errors import StoreError

PLAINTEXT = "HYGIENE_SEND_SECRETS_UNENCRYPTED"  # as loud as what it allows
CLOCK = "or is this machine's clock wrong?"  # what else makes certificates worthless


def check_encrypted(url: str, setting: str) -> None:
    """Raise :class:`StoreError` where ``url``, from the variable ``setting``, is neither https nor this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or _is_here(parts.hostname or ""):
        return
    if parts.scheme == "http" and os.environ.get(PLAINTEXT) == "yes":
        return
    raise StoreError(
        f"{url} is not https, so values and logins would cross the network in the clear",
        hint=f"set {setting} to https://…; in a network that you trust with every value: {PLAINTEXT}=yes",
    )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
