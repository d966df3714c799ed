"""What the text around a found password tells of its login: a URL that was split, password here and host there."""

from __future__ import annotations

import re
from urllib.parse import unquote

_AROUND = 400  # bytes on each side
_BEFORE = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]{1,30})://([^\s:@/'\"`]{0,100}):\Z")
_REGISTRY = re.compile(
    rb"//([A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)/(?:[^\s:]{0,200}/)?:_(?:authToken|auth)\s*=\s*[\"']?\Z"
)
_AFTER = re.compile(rb"@(\[[0-9A-Fa-f:.]+\]|[^\s:@/'\"`?#,\[\]]{1,253})(?::([0-9]{1,5}))?(?:/([^\s'\"`?#]{0,100}))?")


def labels_around(text: bytes, start: int, end: int) -> dict[str, str]:
    """Give user, host, port, database and provider of the URL whose password is ``text[start:end]``; else nothing."""
    before = _BEFORE.search(text[max(start - _AROUND, 0) : start])
    after = _AFTER.match(text[end : end + _AROUND])
    if before is None or after is None:
        return {}
    scheme = before[1].decode().partition("+")[0].lower()
    found = {
        "provider": scheme,
        "user": _plain(before[2]),
        "host": _plain(after[1]).strip("[]"),
        "port": _plain(after[2]),
        "database": _plain(after[3]),
    }
    return {key: value for key, value in found.items() if value}


def registry_around(text: bytes, start: int) -> dict[str, str]:
    """Give the host of the registry in whose line of an ``.npmrc`` the token at ``start`` stands; else nothing."""
    line = text[text.rfind(b"\n", max(start - _AROUND, 0), start) + 1 : start]
    found = _REGISTRY.search(line)
    return {"host": found[1].decode().lower()} if found else {}


def _plain(text: bytes | None) -> str:
    return unquote((text or b"").decode("utf-8", "replace"))
