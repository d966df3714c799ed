"""The classifier's weights, read from one small file: hashed linear weights, then boosted trees as flat arrays.

The file is a line of magic, a line of JSON that says what it holds and where it came from, then the sections it names.
It is made by ``bench/accuracy/train.py``; docs/model-card.md says from what.
"""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

MAGIC = b"hygiene classifier 2\n"
PATH = Path(__file__).with_name("model") / "generic.bin"
# The sections of the file, in their order, and the types of their items.
SECTIONS = (
    ("bigrams", "B"),
    ("words", "B"),
    ("linear", "b"),
    ("roots", "H"),
    ("feature", "B"),
    ("threshold", "f"),
    ("left", "h"),
    ("right", "h"),
    ("leaf", "f"),
)


_ENOUGH = 80  # trees after which most candidates are settled: nine of ten are none, and need no more
_CLEARLY_NOT = -3.0  # log-odds; the trees that are left have never lifted such a one to a finding


class Model(NamedTuple):
    """The weights; see :func:`linear_score` and :func:`boosted_score` for how they are used."""

    bigrams: bytes
    words: frozenset[bytes]
    linear: memoryview  # signed bytes
    scale: float
    bias: float
    roots: Sequence[int]
    feature: Sequence[int]
    threshold: Sequence[float]
    left: Sequence[int]  # the next node, or -1 - the index of a leaf
    right: Sequence[int]
    leaf: Sequence[float]
    base: float
    features: tuple[str, ...]
    low: float
    medium: float
    high: float
    floor: float  # a linear score below which no credential was ever seen


@lru_cache(maxsize=1)
def load_model() -> Model:
    """Read the model that is shipped; once a process. Raises ValueError for a file of another format."""
    return parse_model(PATH.read_bytes())


def parse_model(content: bytes) -> Model:
    """Read a model from the bytes of its file. Raises ValueError for another format or a damaged file."""
    if not content.startswith(MAGIC):
        raise ValueError("not a classifier of this version")
    head_end = content.index(b"\n", len(MAGIC))
    head = json.loads(content[len(MAGIC) : head_end])
    parts, at = {}, head_end + 1
    if at + sum(head["sizes"].values()) != len(content):
        raise ValueError("the classifier's file is cut short, or too long")
    for name, code in SECTIONS:
        size = head["sizes"][name]
        parts[name] = _items(content[at : at + size], code)
        at += size
    roots, left, right, leaf = (parts[name].tolist() for name in ("roots", "left", "right", "leaf"))
    return Model(
        bigrams=bytes(parts["bigrams"]),
        words=frozenset(bytes(parts["words"]).split(b"\n")),
        linear=memoryview(parts["linear"]),
        roots=roots, left=left, right=right, leaf=leaf,
        feature=parts["feature"].tolist(), threshold=parts["threshold"].tolist(),
        features=tuple(head["features"]),
        **{key: float(head[key]) for key in ("scale", "bias", "base", "low", "medium", "high", "floor")},
    )  # fmt: skip


def _items(raw: bytes, code: str) -> array[Any]:
    items: array[Any] = array(code)
    items.frombytes(raw)
    if sys.byteorder == "big":
        items.byteswap()
    return items


def linear_score(model: Model, hashes: Iterable[int]) -> float:
    """The log-odds of the linear half for a candidate's hashed n-grams."""
    weights = model.linear
    return sum([weights[item] for item in hashes]) * model.scale + model.bias


def boosted_score(model: Model, row: Sequence[float]) -> float:
    """The probability that the trees give to a row of features; 0 as soon as it can't reach ``model.low`` any more."""
    feature, threshold, left, right, leaf = model.feature, model.threshold, model.left, model.right, model.leaf
    total = model.base
    for count, root in enumerate(model.roots):
        if count == _ENOUGH and total < _CLEARLY_NOT:
            break
        node = root
        while node >= 0:
            node = left[node] if row[feature[node]] <= threshold[node] else right[node]
        total += leaf[-1 - node]
    return 1.0 / (1.0 + math.exp(-total))
