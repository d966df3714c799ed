"""What the trees can give at most when some features are not known; that settles most candidates of a history."""

from __future__ import annotations

import math

from hygiene.detect.classifier_model import STAGES, Model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Bound:
    """Bounds the score of rows in which some features are missing."""

    def __init__(self, model: Model, unknown: Collection[int]) -> None:
        """Bound what ``model`` gives to rows whose features at the indexes ``unknown`` may be anything."""
        self._model = model
        self._unknown = frozenset(unknown)
        self._trees = [(root, self._asks(root)) for root in model.roots]

    def most_probable(self, row: Sequence[float]) -> float:
        """Give what ``boosted_score`` can't exceed for ``row``."""
        feature, threshold, left, right = (
            self._model.feature,
            self._model.threshold,
            self._model.left,
            self._model.right,
        )
        leaf, total = self._model.leaf, self._model.base
        for first, last, least in STAGES:
            if total < least:
                break
            for root, asks in self._trees[first:last]:
                node = root
                if asks:
                    total += self._largest_leaf(node, row)
                    continue
                while node >= 0:
                    node = left[node] if row[feature[node]] <= threshold[node] else right[node]
                total += leaf[-1 - node]
        return 1.0 / (1.0 + math.exp(-total))

    def _asks(self, node: int) -> bool:
        """Say whether the tree below ``node`` asks for a feature that is not known."""
        if node < 0:
            return False
        model = self._model
        return model.feature[node] in self._unknown or self._asks(model.left[node]) or self._asks(model.right[node])

    def _largest_leaf(self, node: int, row: Sequence[float]) -> float:
        model, unknown = self._model, self._unknown
        while node >= 0:
            which = model.feature[node]
            if which in unknown:
                return max(self._largest_leaf(model.left[node], row), self._largest_leaf(model.right[node], row))
            node = model.left[node] if row[which] <= model.threshold[node] else model.right[node]
        return model.leaf[-1 - node]
