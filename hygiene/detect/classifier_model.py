"""The classifier's weights, read from one small file: hashed linear weights, then boosted trees as flat arrays.

The file is a line of magic, a line of JSON that says what it holds and where it came from, then the sections it names.
It is made by ``bench/accuracy/train.py``; docs/model-card.md says from what.
"""

from __future__ import annotations

import math
import os
import sys
from importlib import import_module

from hygiene.detect import kept
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

MAGIC = b"hygiene classifier 4\n"
PATH = os.path.join(os.path.dirname(__file__), "model", "generic.bin")  # noqa: PTH118, PTH120 - for the hook
# Of a node: its feature and threshold, then the next node to each side, or -1 - the index of a leaf.
TREES = (("roots", "H"), ("feature", "B"), ("threshold", "f"), ("left", "h"), ("right", "h"), ("leaf", "f"))
NUMBERS = ("scale", "bias", "base", "low", "medium", "high", "gate_least", "own_least", "near_least")
PREFIXES = ("gate_", "own_", "near_", "")
# The sections of the file, in their order, and the types of their items.
SECTIONS = (
    ("bigrams", "B"),
    ("words", "B"),
    ("linear", "b"),
    *((prefix + name, code) for prefix in PREFIXES for name, code in TREES),
)


# Most candidates are settled after a few trees: (first tree, last tree, log-odds below which these are not asked).
# On labelled code none that ends as a finding of medium confidence came within half a unit of these.
STAGES = ((0, 20, -math.inf), (20, 80, -2.7), (80, None, -2.6))


_FEW = 20  # questions, for which unpacking takes longer


class Forest:
    """Trees as flat arrays; unpacked when they were asked a few times, which pays then, and in most commits never."""

    __slots__ = ("_arrays", "_asked")

    def __init__(self, parts: Mapping[str, memoryview[Any]], prefix: str) -> None:
        """Read the sections ``prefix`` + ``TREES`` of a model's file."""
        self._arrays: list[Sequence[Any]] = [parts[prefix + name] for name, _ in TREES]
        self._asked = 0

    def total(self, row: Sequence[float], first: int = 0, last: int | None = None) -> float:
        """What the trees from ``first`` to ``last`` add to the log-odds for a row of features."""
        self._asked += 1
        if self._asked == _FEW:
            self._arrays = [list(part) for part in self._arrays]
        roots, feature, threshold, left, right, leaf = self._arrays
        total = 0.0
        for root in roots[first:last]:
            node = root
            while node >= 0:
                node = left[node] if row[feature[node]] <= threshold[node] else right[node]
            total += leaf[-1 - node]
        return total


class Model(NamedTuple):
    """The weights; see :func:`linear_score` and :func:`boosted_score` for how they are used."""

    bigrams: bytes
    words: frozenset[bytes]
    linear: memoryview  # signed bytes
    scale: float
    bias: float
    gate: Forest  # asks for ``GATE_FEATURES``
    own: Forest  # asks for ``OWN_FEATURES``
    near: Forest  # asks for no feature of the rest of the file
    trees: Forest
    base: float
    features: tuple[str, ...]
    low: float
    medium: float
    high: float
    gate_least: float  # log-odds of each of these below which hardly a credential was seen
    own_least: float
    near_least: float


def load_model() -> Model:
    """Read the model that is shipped; once a process. Raises ValueError for a file of another format."""
    if not _loaded:
        with open(PATH, "rb") as stream:  # noqa: PTH123
            _loaded.append(parse_model(stream.read()))
    return _loaded[0]


_loaded: list[Model] = []


def parse_model(content: bytes) -> Model:
    """Read a model from the bytes of its file. Raises ValueError for another format or a damaged file."""
    if not content.startswith(MAGIC):
        raise ValueError("not a classifier of this version")
    head_end = content.index(b"\n", len(MAGIC))
    head = _parsed(content[len(MAGIC) : head_end])
    parts, at = {}, head_end + 1
    if at + sum(head["sizes"].values()) != len(content):
        raise ValueError("the classifier's file is cut short, or too long")
    for name, code in SECTIONS:
        size = head["sizes"][name]
        parts[name] = _items(content[at : at + size], code)
        at += size
    return Model(
        bigrams=bytes(parts["bigrams"]),
        words=frozenset(bytes(parts["words"]).split(b"\n")),
        linear=parts["linear"],
        gate=Forest(parts, "gate_"), own=Forest(parts, "own_"), near=Forest(parts, "near_"), trees=Forest(parts, ""),
        features=tuple(head["features"]),
        **{key: float(head[key]) for key in NUMBERS},
    )  # fmt: skip


def _parsed(head: bytes) -> Any:
    def make() -> Any:
        return import_module("json").loads(head)

    return kept.find(("json", head), make) or make()


def _items(raw: bytes, code: str) -> memoryview[Any]:
    if sys.byteorder == "little":  # as the file is; array would import collections
        return memoryview(raw).cast(code)  # type: ignore[call-overload, no-any-return]
    items = import_module("array").array(code, raw)
    items.byteswap()
    return memoryview(items)


def linear_score(model: Model, hashes: Iterable[int]) -> float:
    """The log-odds of the linear half for a candidate's hashed n-grams."""
    weights = model.linear
    return sum([weights[item] for item in hashes]) * model.scale + model.bias


def boosted_score(model: Model, row: Sequence[float]) -> float:
    """The probability that the trees give to a row of features; settled early for what is far from a credential."""
    total = model.base
    for first, last, least in STAGES:
        if total < least:
            break
        total += model.trees.total(row, first, last)
    return 1.0 / (1.0 + math.exp(-total))
