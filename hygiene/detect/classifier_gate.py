"""The gate: what a candidate says without its line, to a few small trees. Most candidates end here.

The same name is given the same value on line after line, and in version after version: what was decided is remembered.
"""

from __future__ import annotations

from hygiene.detect.classifier_model import Model
from hygiene.detect.classifier_name import NAME_FEATURES, name_features
from hygiene.detect.classifier_place import KINDS, OPERATORS, QUOTES, ROLES, Place
from hygiene.detect.classifier_value import (
    CLASS_FEATURES,
    VALUE_FEATURES,
    class_features,
    value_features,
    word_share,
)
from hygiene.detect.generic import Candidate

JUDGED = ("assign", "near", "flag", "header")  # the kinds that are decided by what is read
_HOW = ("kind", "operator", "quote", "language", "distance")
GATE_FEATURES = (*CLASS_FEATURES, "word_share", "words", "longest_word", *_HOW, *NAME_FEATURES)
OWN_FEATURES = (*VALUE_FEATURES, *_HOW, *(f"role_{role}" for role in ROLES), *NAME_FEATURES)
_MOST = 30_000  # candidates that are remembered; some 10 MB


class Gate:
    """Says which candidates are worth a look at their line."""

    def __init__(self, model: Model) -> None:
        """Judge by the first trees of ``model``."""
        self._model = model
        self._known: dict[tuple[object, ...], list[float] | None] = {}

    def value_features(self, candidate: Candidate, value: bytes, name: bytes, place: Place) -> list[float] | None:
        """Give the ``VALUE_FEATURES`` of a candidate; None for one that its line can't make a credential."""
        kind, start, _end, _name_start, name_end, operator, quote = candidate
        key = kind, operator, quote, start - name_end, place.number, value, name
        try:
            return self._known[key]
        except KeyError:
            pass
        if len(self._known) >= _MOST:
            self._known.clear()
        known = self._known[key] = self._asked(candidate, value, name, place)
        return known

    def _asked(self, candidate: Candidate, value: bytes, name: bytes, place: Place) -> list[float] | None:
        model = self._model
        if candidate.kind not in JUDGED:
            return value_features(value, model.bigrams, model.words)
        row = gate_features(candidate, value, name, place, word_share(value, model.words))
        if model.gate.total(row) < model.gate_least:
            return None
        features = value_features(value, model.bigrams, model.words)
        row = own_features(features, candidate, name, place)
        return features if model.own.total(row) >= model.own_least else None


def gate_features(
    candidate: Candidate, value: bytes, name: bytes, place: Place, worded: tuple[float, int, int]
) -> list[float]:
    """Describe a candidate by what costs next to nothing to know, in the order of ``GATE_FEATURES``.

    Args:
        candidate: what is judged.
        value: its bytes.
        name: the bytes of its name.
        place: where its file stands.
        worded: what ``classifier_value.word_share`` gives for the value.
    """
    return [*class_features(value), *worded, *_how(candidate, place), *name_features(name)]


def own_features(value: list[float], candidate: Candidate, name: bytes, place: Place) -> list[float]:
    """Describe a candidate by all that it says without its line, in the order of ``OWN_FEATURES``.

    Args:
        value: the ``VALUE_FEATURES`` of its value.
        candidate: what is judged.
        name: the bytes of its name.
        place: where its file stands.
    """
    return [*value, *_how(candidate, place), *place.roles, *name_features(name)]


def _how(candidate: Candidate, place: Place) -> tuple[float, ...]:
    return (
        KINDS[candidate.kind], OPERATORS.get(candidate.operator, 12), QUOTES.get(candidate.quote, 6), place.language,
        candidate.start - candidate.name_end,
    )  # fmt: skip
