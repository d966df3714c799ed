"""Strings that a program puts together: literals side by side or joined by a sign, and lines that go on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hygiene.detect.encodings.regions import regions
from hygiene.detect.encodings.trail import Copy, Decoded, Pieces

_SIGN = rb"(?:\+|\.\.?|&|~|\|\||<>)"
_SEAM = re.compile(
    # "…" + "…", also over a line break, with the sign on either side of it, and with a prefix before the second quote
    rb"[\"'`](?:[ \t]+|[ \t]*(?:%s[ \t]*(?:\\?\r?\n[ \t]*)?|\\?\r?\n[ \t]*(?:%s[ \t]*)?))[fFrRbBuU@$]{0,2}[\"'`]"
    rb"|\\\r?\n[ \t]*" % (_SIGN, _SIGN)
)


def joined(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[Decoded]:
    """Join the strings on the lines of ``hits``."""
    for start, end in regions(data, hits):
        pieces, done = Pieces(), start
        for seam in _SEAM.finditer(data, start, end):
            pieces.add(data[done : seam.start()], Copy(done))
            done = seam.end()
        pieces.add(data[done:end], Copy(done))
        yield pieces.decoded("joined")
