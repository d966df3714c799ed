"""Hashed character n-grams of a candidate, its name, its line and its shape: the sparse half of the classifier."""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from zlib import crc32

from hygiene.detect.classifier_name import parts_of
from hygiene.detect.classifier_place import Line, Place
from hygiene.detect.generic import Candidate

BITS = 17
_MASK = (1 << BITS) - 1
_SHAPE = bytes(
    ord("a")
    if 97 <= c <= 122
    else ord("A")
    if 65 <= c <= 90
    else ord("0")
    if 48 <= c <= 57
    else ord("u")
    if c >= 128
    else c
    for c in range(256)
)
_WORD = re.compile(rb"[A-Za-z_]{2,24}|[^\sA-Za-z_0-9]")


def hashed(data: bytes, candidate: Candidate, place: Place, line: Line) -> set[int]:
    """The hashes (``BITS`` wide) of everything that the text around and in a candidate consists of."""
    value = data[candidate.start : candidate.end][:48]
    name = data[candidate.name_start : candidate.name_end][-40:]
    kind = candidate.kind.encode()
    how = kind + b"|" + candidate.operator + b"|" + candidate.quote
    shape = value.translate(_SHAPE)
    runs = b"".join(
        bytes(key) + (b"%d" % min(9, len(list(group))))
        for key, group in groupby(shape[i : i + 1] for i in range(len(shape)))
    )
    out: list[bytes] = [
        b"k" + kind,
        b"h" + how,
        b"e" + place.ending,
        b"x" + how + b"|" + place.ending,
        b"s" + runs[:24],
        b"z%d" % len(value),
        b"V" + value.lower(),
    ]
    lowered = b"^" + value.lower() + b"$"
    out += [b"v" + lowered[i : i + n] for n in (3, 4) for i in range(len(lowered) - n + 1)]
    out += [b"t" + runs[i : i + 4] for i in range(0, max(0, len(runs) - 3), 2)]
    parts = parts_of(name)
    out += [b"n" + part for part in parts]
    out += [b"m" + a + b"_" + b for a, b in pairwise(parts)]
    if parts:
        out += [
            b"l" + parts[-1],
            b"N" + b"_".join(parts),
            b"q" + parts[-1] + b"|" + how,
            b"p" + parts[-1] + b"|" + runs[:8],
        ]
    out += [b"b" + word.lower() for word in _WORD.findall(line.before[-48:])]
    out += [b"a" + word.lower() for word in _WORD.findall(line.after[:32])]
    out += [b"A" + line.after[:3], b"B" + line.before[-4:], b"C" + line.between.replace(b" ", b"")[:6]]
    out += [b"y" + word.lower() for word in _WORD.findall(line.previous[-60:]) if word.isalpha()]
    out += [b"w" + word.lower() for word in _WORD.findall(line.following[:60]) if word.isalpha()]
    return {crc32(item) & _MASK for item in out}
