"""Strict precision, recall and F1 over labelled lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.accuracy.dataset import Dataset


class Score(NamedTuple):
    """Figures at one threshold."""

    threshold: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return (
            2 * self.precision * self.recall / (self.precision + self.recall) if self.precision + self.recall else 0.0
        )


def scores(
    data: Dataset, probability: np.ndarray, thresholds: Sequence[float], repositories: set[str] | None = None
) -> list[Score]:
    """Score each threshold.

    A true row is found when a finding overlaps its lines. A finding that overlaps no true row is a false alarm,
    unless it overlaps a row that names no credential; findings that begin on one line count once.
    """
    wanted = {
        (path, row.first, row.last)
        for path, rows in data.labels.true.items()
        if repositories is None or repository_of(path) in repositories
        for row in rows
    }
    return [_score(data, probability, threshold, wanted, repositories) for threshold in thresholds]


def score_nested(
    data: Dataset,
    probability: np.ndarray,
    dealt: Mapping[str, int],
    thresholds: Sequence[float],
    least_precision: float,
) -> Score:
    """Score each fold's repositories at the threshold that is best on the other folds: none is chosen where it is used.

    ``dealt`` gives the fold of each repository.
    """
    repositories = np.array([repository_of(example.path) for example in data.examples])
    believed = np.zeros(len(repositories))
    for fold in sorted(set(dealt.values())):
        here = {name for name, its in dealt.items() if its == fold}
        chosen = best(scores(data, probability, thresholds, set(dealt) - here), least_precision)
        part = np.isin(repositories, sorted(here))
        believed[part] = probability[part] >= chosen.threshold
    return scores(data, believed, [0.5])[0]


def repository_of(path: str) -> str:
    """The repository's folder name in ``data/REPOSITORY/…``."""
    return path.split("/", 2)[1]


def _score(
    data: Dataset, probability: np.ndarray, threshold: float, wanted: set, repositories: set[str] | None
) -> Score:
    found, right, wrong = set(), set(), set()
    structural = np.array([example.structural for example in data.examples])
    for index in np.flatnonzero((probability >= threshold) | structural):
        example = data.examples[index]
        if repositories is not None and repository_of(example.path) not in repositories:
            continue
        if example.on_true_row:
            rows = data.labels.true[example.path]
            found.update(
                (example.path, row.first, row.last)
                for row in rows
                if row.first <= example.last and example.first <= row.last
            )
            right.add((example.path, example.first))
        elif not example.ignored:
            wrong.add((example.path, example.first))
    alarms = len(wrong - right)
    precision = len(found) / (len(found) + alarms) if found or alarms else 0.0
    return Score(threshold, precision, len(found) / len(wanted) if wanted else 0.0)


AS_GOOD = 0.002  # of F1: less is chance, and then fewer false alarms count


def careful(found: Sequence[Score], least_precision: float) -> Score:
    """The score at the highest threshold whose F1 is as good as the best that reaches a precision."""
    least = best(found, least_precision).f1 - AS_GOOD
    return max((score for score in found if score.f1 >= least), key=lambda score: score.threshold)


def best(found: Sequence[Score], least_precision: float = 0.0) -> Score:
    """The best F1 among the scores that reach a precision."""
    return max(
        (score for score in found if score.precision >= least_precision), key=lambda score: score.f1, default=found[0]
    )
