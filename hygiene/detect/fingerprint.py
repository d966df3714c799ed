"""Names for leaks: a keyed hash of rule family and value, the same wherever the value goes."""

from __future__ import annotations

from importlib import import_module

VERSION = "v1"
_HEX_DIGITS = 40


def fingerprint(key: bytes, family: str, secret: bytes) -> str:
    """Give the name of the leak of ``secret``, such as ``v1:9f86d0…``.

    HMAC-SHA-256 (RFC 2104) under the repository's ``key``, cut to 160 bits. It holds no place, commit or time, so it
    survives moved lines, renamed files and rewritten history; without the key a value can't be guessed from it.
    """
    message = family.encode() + b"\0" + secret
    # Late: OpenSSL takes longer to load than most scans, and most find nothing.
    digest: bytes = import_module("hmac").digest(key, message, "sha256")
    return f"{VERSION}:{digest.hex()[:_HEX_DIGITS]}"
