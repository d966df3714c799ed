"""The gate: a few small trees over what costs next to nothing to know. Half of all candidates end here.

It decides on the text of a line alone, so what it decides is remembered with the line (``classifier_net``).
"""

from __future__ import annotations

from hygiene.detect.classifier_model import Model
from hygiene.detect.classifier_name import NAME_FEATURES, name_features
from hygiene.detect.classifier_place import KINDS, OPERATORS, QUOTES
from hygiene.detect.classifier_value import CLASS_FEATURES, class_features
from hygiene.detect.generic import Candidate

GATE_FEATURES = (
    *CLASS_FEATURES, "word_share", "words", "longest_word", "kind", "operator", "quote", "language", "distance",
    *NAME_FEATURES,
)  # fmt: skip


def gate_features(
    candidate: Candidate, value: bytes, name: bytes, language: int, worded: tuple[float, int, int]
) -> list[float]:
    """Describe a candidate, in the order of ``GATE_FEATURES``.

    Args:
        candidate: what is judged.
        value: its bytes.
        name: the bytes of its name.
        language: the class of the file's language (``classifier_place.Place``).
        worded: what ``classifier_value.word_share`` gives for the value.
    """
    share, words, longest = worded
    return [
        *class_features(value), share, words, longest, KINDS[candidate.kind], OPERATORS.get(candidate.operator, 12),
        QUOTES.get(candidate.quote, 6), language, candidate.start - candidate.name_end, *name_features(name),
    ]  # fmt: skip


class Gate:
    """Says which candidates need no closer look."""

    def __init__(self, model: Model) -> None:
        """Judge by the first trees of ``model``."""
        self._model = model

    def rejects(self, row: list[float]) -> bool:
        """Say whether a candidate with the ``gate_features`` in ``row`` is far from being a credential."""
        model = self._model
        return model.gate.total(row) < model.gate_least
