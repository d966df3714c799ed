"""The judgement of candidates: how probable it is that each is a credential, and why.

Three stages, each dearer than the last: what cannot be one is left out (``classifier_reject``); a linear model scores
hashed n-grams; boosted trees weigh some 150 plain features and the linear scores of the file. Plain Python throughout:
the hook has no numpy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from hygiene.detect.classifier_model import Model, boosted_score, linear_score, load_model
from hygiene.detect.classifier_name import NAME_FEATURES, name_features
from hygiene.detect.classifier_place import PLACE_FEATURES, Line, Place, line_of, place_features, place_of
from hygiene.detect.classifier_reasons import reasons_for
from hygiene.detect.classifier_reject import hopeless
from hygiene.detect.classifier_text import hashed
from hygiene.detect.classifier_value import VALUE_FEATURES, value_features
from hygiene.detect.generic import MAX_CANDIDATES, Candidate, candidates_between, windows

FILE_FEATURES = (
    "linear",
    "candidates",
    "linear_mean",
    "linear_best_other",
    "linear_positive",
    "linear_before",
    "linear_after",
)
FEATURES = (*VALUE_FEATURES, *NAME_FEATURES, *PLACE_FEATURES, *FILE_FEATURES)
_BEYOND = 48  # bytes after a line that may decide whether it holds a candidate
_MOST_DULL = 100_000  # lines; some 10 MB
_ALONE = -9.0  # the linear score of a neighbour that is not there


class Judgement(NamedTuple):
    """How probable it is that a candidate is a credential, and what speaks for and against it."""

    probability: float
    reasons: tuple[str, ...]


def judge(candidates: Sequence[Candidate], data: bytes, path: str) -> list[Judgement]:
    """Judge the candidates of one file, in their order.

    Args:
        candidates: what :func:`hygiene.detect.generic.candidates` gave for the file.
        data: its bytes.
        path: where it stands.
    """
    model = load_model()
    place = place_of(path)
    lines = [line_of(data, candidate) for candidate in candidates]
    scores = [
        linear_score(model, hashed(data, candidate, place, line))
        for candidate, line in zip(candidates, lines, strict=True)
    ]
    on_line = Counter(line.start for line in lines)
    verdicts = []
    for candidate, line, of_file in zip(candidates, lines, file_features(scores), strict=True):
        if of_file[0] < model.floor:
            verdicts.append(Judgement(0.0, ()))
            continue
        row = [*plain_features(model, data, candidate, place, (line, on_line[line.start])), *of_file]
        probability = boosted_score(model, row)
        verdicts.append(Judgement(probability, reasons_for(row, probability, FEATURES)))
    return verdicts


class Net:
    """Finds the candidates of file after file that are not hopeless; remembers lines that had none.

    In a history the same lines come again in version after version: those cost one look into a set.
    """

    def __init__(self, words: frozenset[bytes]) -> None:
        """Tell words from random letters by ``words``."""
        self._words = words
        self._dull: set[tuple[int, bytes]] = set()

    def candidates(self, data: bytes, path: str, hits: Sequence[int]) -> list[Candidate]:
        """Give the candidates on the lines that hold ``hits``, without those that cannot be credentials."""
        place = place_of(path)
        found: dict[tuple[int, int], Candidate] = {}
        for start, end in windows(data, hits):
            text = (place.language, data[start : end + _BEYOND])
            if text in self._dull:
                continue
            kept = self._promising(data, start, end, place)
            if not kept:
                self._remember(text)
            for candidate in kept:
                found.setdefault((candidate.start, candidate.end), candidate)
            if len(found) >= MAX_CANDIDATES:
                break
        return sorted(found.values(), key=lambda candidate: (candidate.start, candidate.end))

    def _promising(self, data: bytes, start: int, end: int, place: Place) -> list[Candidate]:
        found = candidates_between(data, start, end)
        return [candidate for candidate in found if not hopeless(data, candidate, place, self._words)]

    def _remember(self, text: tuple[int, bytes]) -> None:
        if len(self._dull) >= _MOST_DULL:
            self._dull.clear()
        self._dull.add(text)


def plain_features(
    model: Model, data: bytes, candidate: Candidate, place: Place, around: tuple[Line, int]
) -> list[float]:
    """All features of a candidate but those that come from the linear scores, in the order of ``FEATURES``.

    ``around`` is its line, and how many candidates that line holds.
    """
    value = data[candidate.start : candidate.end]
    return [
        *value_features(value, model.bigrams, model.words),
        *name_features(data[candidate.name_start : candidate.name_end]),
        *place_features(data, candidate, place, *around),
    ]


def file_features(scores: Sequence[float]) -> list[tuple[float, ...]]:
    """What the linear scores of a file's candidates say of each, in the order of ``FILE_FEATURES``."""
    count = len(scores)
    total = sum(scores)
    best = sorted(scores, reverse=True)[:2]
    positive = sum(score > 0 for score in scores)
    rows: list[tuple[float, ...]] = []
    for index, score in enumerate(scores):
        others = (total - score) / (count - 1) if count > 1 else _ALONE
        other = best[0] if score < best[0] else (best[1] if count > 1 else _ALONE)
        before = scores[index - 1] if index else _ALONE
        after = scores[index + 1] if index + 1 < count else _ALONE
        rows.append((score, float(count), others, other, float(positive - (score > 0)), before, after))
    return rows
