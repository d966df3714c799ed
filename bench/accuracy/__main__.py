"""Five folds by repository over labelled code, the learning curve, and the model that is shipped.

usage: python -m bench.accuracy DATASET [--seeds 1,2] [--curve] [--export]

DATASET is a folder in CredData's layout: ``data/REPOSITORY/…`` and ``meta/*.csv``.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np

from bench.accuracy.dataset import Dataset, read_dataset
from bench.accuracy.export import model_bytes
from bench.accuracy.fit import cross_validate, fit, folds_of, probabilities, weights_of
from bench.accuracy.score import Score, best, careful, repository_of, score_nested, scores
from bench.accuracy.tables import read_tables
from bench.accuracy.whole import reports_out_of_fold, score_reports
from hygiene.detect import classifier_model
from hygiene.detect.classifier_model import Model

THRESHOLDS = [step / 100 for step in range(5, 96)]
LEAST_PRECISION = 0.93
LOW = 0.1


def main() -> None:
    """Read the data, validate, and on request export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--export", action="store_true")
    options = parser.parse_args()
    began = time.perf_counter()
    tables = read_tables(options.dataset)
    data = read_dataset(options.dataset, _only_tables(tables))
    print(
        f"{len(data.examples)} candidates, {sum(e.credential for e in data.examples)} credentials; "
        f"data {data.digest[:16]}"
    )
    print(f"recall of the candidates {_ceiling(data):.4f}")
    found = _validate(data, [int(seed) for seed in options.seeds.split(",")])
    _whole(options.dataset, data, tables, careful(found, LEAST_PRECISION).threshold)
    if options.curve:
        _curve(data)
    if options.export:
        _export(data, tables, found)
    print(f"{time.perf_counter() - began:.0f} s")


def _only_tables(tables: tuple[bytes, frozenset[bytes]]) -> Model:
    empty = dict.fromkeys(Model._fields, ())
    return Model(**{**empty, "bigrams": tables[0], "words": tables[1]})  # type: ignore[arg-type]


def _ceiling(data: Dataset) -> float:
    return scores(data, np.ones(len(data.examples)), [0.5])[0].recall


def _validate(data: Dataset, seeds: list[int]) -> list[Score]:
    every = []
    for seed in seeds:
        probability = cross_validate(data, seed)
        found = scores(data, probability, THRESHOLDS)
        every.append(found)
        nested = score_nested(data, probability, folds_of(data, seed), THRESHOLDS, LEAST_PRECISION)
        print(
            f"seed {seed}, each fold at the threshold that the others choose: "
            f"P {nested.precision:.4f} R {nested.recall:.4f} F1 {nested.f1:.4f}"
        )
        for name, score in (("best F1", best(found)), (f"P >= {LEAST_PRECISION}", best(found, LEAST_PRECISION))):
            print(
                f"seed {seed}, {name}: at {score.threshold:.2f} "
                f"P {score.precision:.4f} R {score.recall:.4f} F1 {score.f1:.4f}"
            )
    return [
        Score(
            column[0].threshold,
            float(np.mean([s.precision for s in column])),
            float(np.mean([s.recall for s in column])),
        )
        for column in zip(*every, strict=True)
    ]


def _whole(folder: Path, data: Dataset, tables: tuple[bytes, frozenset[bytes]], medium: float) -> None:
    """What ``hygiene scan`` as a whole says of repositories that its model never saw."""
    head = {"low": LOW, "medium": medium, "high": 0.9, "data": "", "precision": 0, "recall": 0}
    score, alarms = score_reports(data.labels, reports_out_of_fold(folder, data, tables, 1, head))
    print(f"the whole tool, seed 1: P {score.precision:.4f} R {score.recall:.4f} F1 {score.f1:.4f}")
    print("false alarms by rule:", ", ".join(f"{rule} {count}" for rule, count in alarms.most_common(12)))


def _curve(data: Dataset) -> None:
    """What more data gives: fit on parts of the repositories, score on a fifth that is always the same."""
    repositories = sorted(
        {repository_of(e.path) for e in data.examples}, key=lambda name: hashlib.sha256(name.encode()).hexdigest()
    )
    _, _, of = weights_of(data)
    test = set(repositories[: len(repositories) // 5])
    rest = repositories[len(test) :]
    for share in (0.25, 0.5, 0.75, 1.0):
        part = np.isin(of, rest[: int(len(rest) * share)])
        fitted = fit(data, part, 1)
        probability = probabilities(data, fitted)
        score = best(scores(data, probability, THRESHOLDS, test))
        print(
            f"curve: {int(len(rest) * share)} repositories, best on {len(test)} others: "
            f"P {score.precision:.4f} R {score.recall:.4f} F1 {score.f1:.4f}"
        )


def _export(data: Dataset, tables: tuple[bytes, frozenset[bytes]], found: list[Score]) -> None:
    labels, _, _ = weights_of(data)
    fitted = fit(data, np.ones(len(labels), dtype=bool), 1)
    medium = careful(found, LEAST_PRECISION)
    high = next((score.threshold for score in found if score.precision >= 0.96), 0.9)
    head = {
        "low": LOW, "medium": medium.threshold, "high": max(high, medium.threshold + 0.1),
        "data": data.digest, "precision": round(medium.precision, 4), "recall": round(medium.recall, 4),
    }  # fmt: skip
    content = model_bytes(fitted, tables, head)
    path = Path(classifier_model.PATH)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    print(f"wrote {path.name}: {len(content)} bytes, thresholds {head['low']} {head['medium']} {head['high']:.2f}")


if __name__ == "__main__":
    main()
