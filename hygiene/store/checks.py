"""Checks that every store makes before it writes, so that a limit is a clear refusal and not a server's error."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from hygiene.errors import StoreError, UsageError
from hygiene.secret import Secret
from hygiene.store.protocol import Capabilities

_TOKEN = re.compile(r"[a-z0-9-]{32,64}\Z")


def is_same_moment(one: datetime | None, other: datetime | None) -> bool:
    """Say whether two moments are the same to the second, which is what every store keeps; None is never."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < timedelta(seconds=1)


def check_put(name: str, secret: Secret, token: str, capabilities: Capabilities) -> None:
    """Refuse an empty, too long or (where the store can't keep it) binary value, and a malformed token."""
    if not _TOKEN.match(token):
        raise UsageError("a token has 32 to 64 characters of a-z, 0-9 and -")
    if len(secret) == 0:
        raise StoreError(f"the value for {name} is empty", hint="an empty value protects nothing; delete the secret")
    if len(secret) > capabilities.max_bytes:
        raise StoreError(
            f"the value for {name} has {len(secret)} bytes, and the store takes {capabilities.max_bytes}",
            hint="store a key here and keep the large thing encrypted with it elsewhere",
        )
    if not capabilities.binary:
        try:
            secret.reveal().decode()
        except UnicodeDecodeError:
            raise StoreError(f"the value for {name} is binary, and the store keeps text only") from None
