"""The forms in which a value may be shown by whoever was given it: as it is, and as common encodings write it."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6  # bytes; what is shorter occurs by chance


def forms_of(value: bytes) -> tuple[bytes, ...]:
    """Give ``value`` plain, in its lines, percent, JSON, hex and base64 (inside of a longer text, too), longest first.

    Only forms of at least :data:`SHORTEST` bytes, each once; ``value`` itself is always among them.
    """
    found = (form for form in _forms(value) if len(form) >= SHORTEST)
    return tuple(sorted(dict.fromkeys((value, *found)), key=len, reverse=True))


def _forms(value: bytes) -> Iterator[bytes]:
    yield value.strip()
    yield from (line.strip() for line in value.splitlines())
    text = value.decode("utf-8", "surrogateescape")
    for written in (
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(value)[2:-1],
        repr(text)[1:-1],
        value.hex(),
        value.hex().upper(),
    ):
        yield written.encode("utf-8", "surrogateescape")
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(value).rstrip(b"=")
        # Behind one or two other bytes (user:password) its middle is written otherwise.
        yield from (encode(b"\0" * before + value).rstrip(b"=")[before + 1 : -1] for before in (1, 2))
