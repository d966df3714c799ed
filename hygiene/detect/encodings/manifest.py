"""Kubernetes Secrets: every value under ``data`` is base64, however short and innocent it looks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hygiene.detect.encodings.radix import decode_base64
from hygiene.detect.encodings.trail import Copy, Decoded, Pieces, Radix

_ENTRY = re.compile(
    rb"^[ \t{-]*[\"']?[\w.-]+[\"']?[ \t]*:[ \t]*(?:[|>][+-]?[ \t]*\r?\n[ \t]*)?[\"']?"
    rb"([A-Za-z0-9+/]{8,}={0,2})[\"']?[ \t,}]*\r?$",
    re.M,
)
_REACH = 64 << 10  # bytes of a manifest before and after the line that says it is a Secret


def secret_data(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Decode the values of the Secrets that ``hits`` (``kind: Secret``) name, each after its key."""
    done = 0
    for start, end in sorted(hits):
        pieces = Pieces()
        for entry in _ENTRY.finditer(data, max(done, start - _REACH), min(len(data), end + _REACH)):
            text = decode_base64(entry[1].rstrip(b"="))
            if _readable(text):
                pieces.add(data[entry.start() : entry.start(1)], Copy(entry.start()))
                pieces.add(text, Radix(4, 3, ((0, entry.start(1)),)))
                pieces.add(data[entry.end(1) : entry.end() + 1], Copy(entry.end(1)))
            done = entry.end()
        if pieces.length:
            yield pieces.decoded("base64")


def _readable(text: bytes) -> bool:
    try:
        return text.decode().replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
    except UnicodeDecodeError:
        return False
