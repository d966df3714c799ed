"""Labelled code in CredData's layout → candidates with features and labels, exactly as the product sees them."""

from __future__ import annotations

import csv
import hashlib
import re
from bisect import bisect_left
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from hygiene.detect.classifier import FEATURES, is_structural, plain_features
from hygiene.detect.classifier_gate import gate_features, own_features
from hygiene.detect.classifier_model import Model
from hygiene.detect.classifier_net import Net
from hygiene.detect.classifier_place import ELSEWHERE, Around, Place, Rest, line_of
from hygiene.detect.classifier_text import BITS, hashed
from hygiene.detect.classifier_value import value_features, word_share
from hygiene.detect.compile import patterns_from_rules
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.generic import Candidate
from hygiene.detect.rules import RuleSet, load_rules

# Categories of rows that name no credential: neither wanted nor held against a scanner.
NOT_A_CREDENTIAL = {"UUID", "AWS S3 Bucket", "Firebase Domain", "Tencent WeChat API App ID", "Nonce", "Salt", "Seed"}


class Row(NamedTuple):
    """A labelled span of lines, with the columns of its value where they are given."""

    first: int
    last: int
    column: int
    column_end: int


class Labels(NamedTuple):
    """The rows of each path."""

    true: dict[str, list[Row]]
    ignored: dict[str, list[Row]]


class Example(NamedTuple):
    """A candidate, and what the labels say of it."""

    path: str
    first: int
    last: int
    credential: bool
    on_true_row: bool
    ignored: bool
    structural: bool  # its structure alone makes it worth a medium confidence


class Dataset(NamedTuple):
    """All candidates of a data set."""

    examples: list[Example]
    plain: np.ndarray  # (candidates, plain features)
    gate: np.ndarray  # (candidates, features of the gate's first trees)
    own: np.ndarray  # (candidates, features of its second trees)
    text: csr_matrix  # (candidates, 2 ** BITS): 1 where an n-gram stands
    labels: Labels
    digest: str


def read_labels(folder: Path) -> Labels:
    """Read ``meta/*.csv``."""
    true, ignored = defaultdict(list), defaultdict(list)
    for table in sorted(folder.glob("meta/*.csv")):
        with table.open() as stream:
            for line in csv.DictReader(stream):
                row = Row(
                    int(line["LineStart"]), int(line["LineEnd"]), _number(line["ValueStart"]), _number(line["ValueEnd"])
                )
                if set(line["Category"].split(":")) <= NOT_A_CREDENTIAL:
                    ignored[line["FilePath"]].append(row)
                elif line["GroundTruth"] == "T":
                    true[line["FilePath"]].append(row)
    return Labels(dict(true), dict(ignored))


def _number(text: str) -> int:
    return int(float(text)) if text else -1


def generic_engine() -> HyperscanEngine:
    """The engine with nothing but the generic rules."""
    rules = load_rules()
    patterns = patterns_from_rules(RuleSet(tuple(rule for rule in rules.rules if rule.generic), rules.digest))
    return HyperscanEngine(patterns, compile_database(patterns))


def places_of(engine: HyperscanEngine, data: bytes) -> list[int]:
    """Where the generic rules say to look."""
    return [match.end for match in engine.matches(data) if engine.patterns[match.rule].generic]


def paths_of(folder: Path) -> list[str]:
    """The labelled files, relative to the data set, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("data/**/*") if path.is_file())


def read_dataset(folder: Path, tables: Model) -> Dataset:
    """Find and describe all candidates; ``tables`` gives the bigrams and words that features need."""
    labels, engine, net = read_labels(folder), generic_engine(), Net(tables.words, _Describer(tables).look)
    examples: list[Example] = []
    seen: list[_Described] = []
    digest = hashlib.sha256()
    first = FEATURES.index(ELSEWHERE[0])
    for path in paths_of(folder):
        data = (folder / path).read_bytes()
        digest.update(path.encode() + hashlib.sha256(data).digest())
        rest = Rest(data)
        labeller = _Labeller(data, labels.true.get(path, []), labels.ignored.get(path, []))
        for candidate, described in net.sights(data, path, places_of(engine, data)):
            plain = list(described.plain)
            plain[first : first + len(ELSEWHERE)] = rest.holds(candidate)
            seen.append(described._replace(plain=plain))
            examples.append(labeller.example(path, candidate))
    ends = np.cumsum([0, *(len(one.hashes) for one in seen)])
    columns = np.concatenate([one.hashes for one in seen])
    text = csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(seen), 1 << BITS))
    plain, gate, own = (np.array([getattr(one, name) for one in seen], np.float32) for name in ("plain", "gate", "own"))
    return Dataset(examples, plain, gate, own, text, labels, digest.hexdigest())


class _Described(NamedTuple):
    """The features of a candidate."""

    plain: list[float]
    gate: list[float]
    own: list[float]
    hashes: np.ndarray


class _Describer:
    """Describes every candidate, as the product does those that it does not leave out."""

    def __init__(self, tables: Model) -> None:
        self._tables = tables

    def look(self, text: bytes, candidate: Candidate, place: Place, on_line: int) -> _Described:
        tables = self._tables
        value, name = text[candidate.start : candidate.end], text[candidate.name_start : candidate.name_end]
        features = value_features(value, tables.bigrams, tables.words)
        line = line_of(text, candidate)
        return _Described(
            plain_features(features, text, candidate, place, Around(line, on_line)),
            gate_features(candidate, value, name, place, word_share(value, tables.words)),
            own_features(features, candidate, name, place),
            np.array(sorted(hashed(text, candidate, place, line)), dtype=np.int32),
        )


class _Labeller:
    """Says of a span of bytes what the labelled lines say."""

    def __init__(self, data: bytes, true: list[Row], ignored: list[Row]) -> None:
        self._breaks = [match.start() for match in re.finditer(b"\n", data)]
        self._data, self._true, self._ignored = data, true, ignored

    def example(self, path: str, candidate: Candidate) -> Example:
        start, end = candidate.start, candidate.end
        first = bisect_left(self._breaks, start) + 1
        last = bisect_left(self._breaks, max(start, end - 1)) + 1
        rows = [row for row in self._true if row.first <= last and first <= row.last]
        credential = any(last > first or row.last > row.first or self._holds(row, start, end) for row in rows)
        ignored = not rows and any(row.first <= last and first <= row.last for row in self._ignored)
        return Example(
            path,
            first,
            last,
            credential,
            bool(rows),
            ignored,
            is_structural(candidate, self._data[start:end]),
        )

    def _holds(self, row: Row, start: int, end: int) -> bool:
        """Whether the span overlaps the labelled value (columns count characters)."""
        if row.column < 0:
            return True
        line = self._breaks[row.first - 2] + 1 if row.first > 1 else 0
        line_end = self._breaks[row.first - 1] if row.first <= len(self._breaks) else len(self._data)
        text = self._data[line:line_end].decode(errors="replace")
        first = line + len(text[: row.column].encode(errors="replace"))
        last = line + len(text[: row.column_end].encode(errors="replace")) if row.column_end > 0 else first + 1
        return start < last and first < end
