"""The stacked models: the gate, a linear one over hashed n-grams, boosted trees over its scores and plain features."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import NamedTuple

import lightgbm
import numpy as np
from sklearn.linear_model import SGDClassifier

from bench.accuracy.dataset import Dataset
from bench.accuracy.score import repository_of
from hygiene.detect.classifier import FEATURES
from hygiene.detect.classifier_gate import GATE_FEATURES, JUDGED
from hygiene.detect.classifier_place import ELSEWHERE, KINDS

FOLDS = 5
LINEAR_C = 0.6
LINEAR_EPOCHS = 12
CLIP = 0.999  # the quantile of the weights' sizes that a signed byte still tells apart
TREES = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 24, "min_data_in_leaf": 20, "feature_fraction": 0.5,
    "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "max_bin": 127, "verbosity": -1, "num_threads": 1,
}  # fmt: skip
ROUNDS = 300
GATE = {**TREES, "num_leaves": 32, "learning_rate": 0.2, "feature_fraction": 0.7}
GATE_ROUNDS = 16
# What these reject costs nothing at the thresholds of medium confidence and up, on repositories that they never saw.
GATE_LEAST, OWN_LEAST, NEAR_LEAST = -4.0, -2.75, -1.5  # log-odds
NEAR = {**TREES, "learning_rate": 0.1}
NEAR_ROUNDS = 60


class Linear(NamedTuple):
    """Weights as the product holds them: signed bytes, a scale and a bias."""

    weights: np.ndarray
    scale: float
    bias: float

    def score(self, text) -> np.ndarray:
        """The log-odds of each row."""
        return text @ self.weights.astype(np.float32) * self.scale + self.bias


def weights_of(data: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The label and the weight of each candidate; the repository of each."""
    labels = np.array([example.credential for example in data.examples], dtype=int)
    weights = np.ones(len(labels))
    for index, example in enumerate(data.examples):
        if example.ignored:
            weights[index] = 0.0
        elif example.on_true_row and not example.credential:
            weights[index] = 0.3  # a neighbour of the credential: reported in its place, it would not be wrong
    return labels, weights, np.array([repository_of(example.path) for example in data.examples])


def folds_of(data: Dataset, seed: int) -> dict[str, int]:
    """Deal the repositories into folds, so that each has its share of those rich in credentials."""
    rich = Counter({repository_of(path): 0 for path in (example.path for example in data.examples)})
    for path, rows in data.labels.true.items():
        rich[repository_of(path)] += len(rows)
    order = sorted(rich, key=lambda name: (-rich[name], hashlib.sha256(f"{seed}{name}".encode()).hexdigest()))
    random = np.random.RandomState(seed)
    dealt = {}
    for at in range(0, len(order), FOLDS):
        dealt.update(zip(order[at : at + FOLDS], random.permutation(FOLDS), strict=False))
    return {name: int(fold) for name, fold in dealt.items()}


def fit_linear(text, labels: np.ndarray, weights: np.ndarray) -> Linear:
    """Fit the linear half."""
    count = len(labels)
    model = SGDClassifier(
        loss="log_loss",
        alpha=1.0 / (LINEAR_C * count),
        max_iter=LINEAR_EPOCHS,
        tol=None,
        average=4 * count,
        random_state=0,
    )
    model.fit(text, labels, sample_weight=weights)
    coefficients = model.coef_[0]
    used = np.abs(coefficients[coefficients != 0])
    scale = float(np.quantile(used, CLIP)) / 127 if len(used) else 1.0
    return Linear(np.clip(np.round(coefficients / scale), -127, 127).astype(np.int8), scale, float(model.intercept_[0]))


def fit_trees(rows: np.ndarray, labels: np.ndarray, weights: np.ndarray, seed: int) -> lightgbm.Booster:
    """Fit the boosted half."""
    return lightgbm.train({**TREES, "seed": seed}, lightgbm.Dataset(rows, labels, weight=weights), ROUNDS)


def fit_gate(data: Dataset, used: np.ndarray, seed: int) -> lightgbm.Booster:
    """Fit the gate on the rows of ``used`` that it is asked about."""
    labels, weights, _ = weights_of(data)
    asked = used & gated(data)
    rows = lightgbm.Dataset(data.gate[asked], labels[asked], weight=weights[asked])
    return lightgbm.train({**GATE, "seed": seed}, rows, GATE_ROUNDS)


def fit_own(data: Dataset, used: np.ndarray, seed: int) -> lightgbm.Booster:
    """Fit what decides without a look at the line, on the rows of ``used`` that the gate lets through."""
    labels, weights, _ = weights_of(data)
    asked = used & gated(data)
    rows = lightgbm.Dataset(data.own[asked], labels[asked], weight=weights[asked])
    return lightgbm.train({**NEAR, "seed": seed}, rows, NEAR_ROUNDS)


def gated(data: Dataset) -> np.ndarray:
    """Say which candidates the gate is asked about."""
    return np.isin(data.gate[:, GATE_FEATURES.index("kind")], [KINDS[kind] for kind in JUDGED])


def fit_near(rows: np.ndarray, labels: np.ndarray, weights: np.ndarray, seed: int) -> lightgbm.Booster:
    """Fit what decides without a look at the rest of the file."""
    near = lightgbm.Dataset(without_rest(rows), labels, weight=weights)
    return lightgbm.train({**NEAR, "seed": seed}, near, NEAR_ROUNDS)


def without_rest(rows: np.ndarray) -> np.ndarray:
    """Give rows as they are before the rest of the file is looked at."""
    rows = rows.copy()
    rows[:, [FEATURES.index(name) for name in ELSEWHERE]] = 0
    return rows


def stacked(data: Dataset, linear: np.ndarray) -> np.ndarray:
    """The rows that the trees see: plain features and the linear score."""
    return np.hstack([data.plain, linear[:, None].astype(np.float32)])


def out_of_fold(
    data: Dataset, part: np.ndarray, labels: np.ndarray, weights: np.ndarray, inner: np.ndarray
) -> np.ndarray:
    """Linear scores for the rows of ``part``, each from a model that saw no row of its own repository."""
    linear = np.zeros(len(labels))
    for fold in range(FOLDS):
        seen, unseen = part & (inner != fold) & (weights > 0), part & (inner == fold)
        linear[unseen] = fit_linear(data.text[seen], labels[seen], weights[seen]).score(data.text[unseen])
    return linear


class Fitted(NamedTuple):
    """All stages, fitted on the rows of a part."""

    gate: lightgbm.Booster
    own: lightgbm.Booster
    linear: Linear
    near: lightgbm.Booster
    trees: lightgbm.Booster
    scores: np.ndarray  # the linear ones: out of fold inside of the part, of the final linear model outside


def fit(data: Dataset, part: np.ndarray, seed: int) -> Fitted:
    """Fit all stages on ``part`` (a mask of candidates)."""
    labels, weights, repositories = weights_of(data)
    dealt = folds_of(data, seed + 100)
    inner = np.array([dealt[name] for name in repositories])
    scores = out_of_fold(data, part, labels, weights, inner)
    used = part & (weights > 0)
    linear = fit_linear(data.text[used], labels[used], weights[used])
    scores[~part] = linear.score(data.text[~part])
    rows = stacked(data, scores)
    gate = fit_gate(data, used, seed)
    own = fit_own(data, used & ~rejected(data.gate, gate, GATE_LEAST), seed)
    trees = fit_trees(rows[used], labels[used], weights[used], seed)
    left = used & ~rejected_early(data, gate, own)
    return Fitted(gate, own, linear, fit_near(rows[left], labels[left], weights[left], seed), trees, scores)


def rejected(rows: np.ndarray, trees: lightgbm.Booster, least: float) -> np.ndarray:
    """Say for which rows ``trees`` give less than ``least``."""
    return trees.predict(rows, raw_score=True) < least


def rejected_early(data: Dataset, gate: lightgbm.Booster, own: lightgbm.Booster) -> np.ndarray:
    """Say which candidates are rejected without a look at their line."""
    return gated(data) & (rejected(data.gate, gate, GATE_LEAST) | rejected(data.own, own, OWN_LEAST))


def probabilities(data: Dataset, fitted: Fitted) -> np.ndarray:
    """Give what the stages together say of each candidate; 0 for what an early one rejects."""
    rows = stacked(data, fitted.scores)
    out = rejected_early(data, fitted.gate, fitted.own) | rejected(without_rest(rows), fitted.near, NEAR_LEAST)
    return np.where(out, 0.0, fitted.trees.predict(rows))


def cross_validate(data: Dataset, seed: int) -> np.ndarray:
    """The probability of each candidate from a model that saw no repository of its fold."""
    _, _, repositories = weights_of(data)
    dealt = folds_of(data, seed)
    outer = np.array([dealt[name] for name in repositories])
    probability = np.zeros(len(outer))
    for fold in range(FOLDS):
        fitted = fit(data, outer != fold, seed)
        unseen = outer == fold
        probability[unseen] = probabilities(data, fitted)[unseen]
    return probability
