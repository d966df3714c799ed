"""The forms in which a value may be shown by whoever was given it: as it is, and as common encodings write it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6  # bytes; what is shorter occurs by chance
_SAME_IN_URLS = re.compile(rb"[A-Za-z0-9_.~-]*\Z")
_SAME_IN_QUOTES = re.compile(rb"[ !#-&(-\[\]-~]*\Z")  # ASCII that neither JSON nor Python escapes
_TO_URL = bytes.maketrans(b"+/", b"-_")


def forms_of(value: bytes) -> tuple[bytes, ...]:
    """Give ``value`` plain, in its lines, percent, JSON, hex and base64 (inside of a longer text, too), longest first.

    Only forms of at least :data:`SHORTEST` bytes, each once; ``value`` itself is always among them.
    """
    found = [value, *(form for form in _forms(value) if len(form) >= SHORTEST)]
    return tuple(sorted(dict.fromkeys(found), key=len, reverse=True))


def _forms(value: bytes) -> Iterator[bytes]:
    stripped = value.strip()
    yield stripped
    if b"\n" in stripped or b"\r" in stripped:
        yield from (line.strip() for line in stripped.splitlines())
    if not _SAME_IN_URLS.match(value):
        yield from (text.encode() for text in (quote(value, safe=""), quote(value), quote_plus(value)))
    if not _SAME_IN_QUOTES.match(value):
        yield from _quoted(value)
    written = value.hex()
    yield from (written.encode(), written.upper().encode())
    for before in range(3):
        # Behind one or two other bytes (user:password) its middle is written otherwise.
        text = b64encode(b"\0" * before + value).rstrip(b"=")
        inside = text[before + 1 : -1] if before else text
        yield inside
        if b"+" in inside or b"/" in inside:
            yield inside.translate(_TO_URL)


def _quoted(value: bytes) -> Iterator[bytes]:
    text = value.decode("utf-8", "surrogateescape")
    for written in (json.dumps(text), json.dumps(text, ensure_ascii=False), repr(value)[1:], repr(text)):
        yield written[1:-1].encode("utf-8", "surrogateescape")
