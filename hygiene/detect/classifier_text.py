"""Hashed character n-grams of a candidate, its name, its line and its shape: the sparse half of the classifier."""

from __future__ import annotations

from itertools import pairwise
from zlib import crc32

from hygiene.detect import regex as re
from hygiene.detect.classifier_name import parts_of
from hygiene.detect.classifier_place import Line, Place
from hygiene.detect.generic import Candidate
from hygiene.detect.memo import Memo

BITS = 17
_UPPER = 1 << (BITS - 1)
_HALF = _UPPER - 1
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
_RUN = re.compile(rb"(.)\1{0,8}", re.DOTALL)
_PLAIN_WORD = re.compile(rb"[a-z_]{2,24}")
_WORD = re.compile(rb"[a-z_]{2,24}|[^\sa-z_0-9]")


def hashed(data: bytes, candidate: Candidate, place: Place, line: Line) -> frozenset[int]:
    """The hashes (``BITS`` wide) of everything that the text around and in a candidate consists of.

    What speaks of the value is in the lower half, what speaks of its surroundings in the upper one.
    """
    value = data[candidate.start : candidate.end][:48]
    how = candidate.kind.encode() + b"|" + candidate.operator + b"|" + candidate.quote
    runs: bytes
    inside: frozenset[int]
    runs, inside = _value[value]
    name: bytes
    of_name: frozenset[int]
    name, of_name = _name[data[candidate.name_start : candidate.name_end][-40:], how]
    around = {code & _HALF | _UPPER for code in map(crc32, _of_line(line, place.ending, how))}
    if name:
        around.add(crc32(b"p" + name + b"|" + runs[:8]) & _HALF | _UPPER)
    return inside | around | of_name


def _of_its_letters(value: bytes) -> tuple[bytes, frozenset[int]]:
    """Give the runs of a value's shape, and the hashes of all that it says."""
    runs = b"".join([_run[match.group()] for match in _RUN.finditer(value.translate(_SHAPE))])
    return runs, frozenset([code & _HALF for code in map(crc32, _of_value(value, runs))])


def _of_name_used_so(name_and_how: tuple[bytes, bytes]) -> tuple[bytes, frozenset[int]]:
    """Give the last part of a name, and the hashes of all that it says where it is used in a way."""
    parts = parts_of(name_and_how[0])
    hashes = frozenset(crc32(item) & _HALF | _UPPER for item in _of_name(parts, name_and_how[1]))
    return parts[-1] if parts else b"", hashes


_run = Memo(lambda run: run[:1] + b"%d" % len(run), 4096)
_name = Memo(_of_name_used_so, 10_000)
_value = Memo(_of_its_letters, 2048)


def _of_value(value: bytes, runs: bytes) -> list[bytes]:
    lowered = b"^" + value.lower() + b"$"
    out = [b"s" + runs[:24], b"z%d" % len(value), b"V" + value.lower()]
    out += [lowered[i : i + 3] for i in range(len(lowered) - 2)]
    out += [lowered[i : i + 4] for i in range(len(lowered) - 3)]
    out += [b"t" + runs[i : i + 4] for i in range(0, len(runs) - 3, 2)]
    return out


def _of_name(parts: list[bytes], how: bytes) -> list[bytes]:
    if not parts:
        return []
    out = [b"n" + part for part in parts]
    out += [b"m" + a + b"_" + b for a, b in pairwise(parts)]
    return [*out, b"l" + parts[-1], b"N" + b"_".join(parts), b"q" + parts[-1] + b"|" + how]


def _of_line(line: Line, ending: bytes, how: bytes) -> list[bytes]:
    out = [b"h" + how, b"e" + ending, b"x" + how + b"|" + ending]
    out += [b"b" + word for word in _WORD.findall(line.before[-48:].lower())]
    out += [b"a" + word for word in _WORD.findall(line.after[:32].lower())]
    out += [b"A" + line.after[:3], b"B" + line.before[-4:], b"C" + line.between.replace(b" ", b"")[:6]]
    out += [b"w" + word for word in _PLAIN_WORD.findall(line.following[:60].lower())]
    return out
