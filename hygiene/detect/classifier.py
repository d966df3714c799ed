"""The judgement of candidates: how probable it is that each is a credential, and why.

Stages, each dearer than the last: what cannot be one is left out (``classifier_reject``), then what its value and name
speak against (``classifier_gate``), then what its line speaks against; boosted trees weigh the rest of the file, too.
What is near a candidate is described by some 150 plain features, and by the score that a linear model gives to hashed
n-grams. Plain Python throughout: the hook has no numpy.
"""

from __future__ import annotations

from hygiene.detect.classifier_model import boosted_score, linear_score, load_model
from hygiene.detect.classifier_name import NAME_FEATURES, name_features
from hygiene.detect.classifier_place import (
    ELSEWHERE,
    PLACE_FEATURES,
    Around,
    Place,
    Rest,
    line_of,
    place_features,
)
from hygiene.detect.classifier_reasons import reasons_for
from hygiene.detect.classifier_text import hashed
from hygiene.detect.classifier_value import VALUE_FEATURES, is_random_list
from hygiene.detect.generic import Candidate
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEATURES = (*VALUE_FEATURES, *NAME_FEATURES, *PLACE_FEATURES, "linear")
_FIRST = FEATURES.index(ELSEWHERE[0])
_ELSEWHERE = slice(_FIRST, _FIRST + len(ELSEWHERE))


class Judgement(NamedTuple):
    """How probable it is that a candidate is a credential, and what speaks for and against it."""

    probability: float
    reasons: tuple[str, ...]


class Sight:
    """What is seen of a candidate near it; in a history the same comes again in version after version."""

    __slots__ = ("_is_structural", "_judgements", "_row")

    def __init__(self, row: list[float], *, is_structural: bool) -> None:
        """Describe it by a row of ``FEATURES``, in which ``ELSEWHERE`` is unknown."""
        self._row = row
        self._is_structural = is_structural
        self._judgements: dict[tuple[float, ...], Judgement] = {}

    def judged(self, elsewhere: tuple[float, ...]) -> Judgement:
        """Judge it in a file of whose rest this is known."""
        known = self._judgements.get(elsewhere)
        if known is None:
            known = self._judgements[elsewhere] = self._judged(elsewhere)
        return known

    def _judged(self, elsewhere: Sequence[float]) -> Judgement:
        model, row = load_model(), self._row
        row[_ELSEWHERE] = elsewhere
        probability = max(boosted_score(model, row), model.medium if self._is_structural else 0.0)
        return Judgement(probability, reasons_for(row, probability, FEATURES) if probability else ())


def look(text: bytes, candidate: Candidate, place: Place, on_line: int, value: list[float]) -> Sight | None:
    """Look at a candidate and its line; None where it would be no credential in any file.

    Args:
        text: the line, and what surrounds it.
        candidate: its offsets in ``text``.
        place: where its file stands.
        on_line: how many candidates the line holds.
        value: its ``VALUE_FEATURES``.
    """
    model = load_model()
    around = Around(line_of(text, candidate), on_line)
    row = plain_features(value, text, candidate, place, around)
    row.append(linear_score(model, hashed(text, candidate, place, around.line)))
    structural = is_structural(candidate, text[candidate.start : candidate.end])
    if not structural and model.near.total(row) < model.near_least:
        return None
    return Sight(row, is_structural=structural)


def judge(sights: Iterable[tuple[Candidate, Sight]], data: bytes) -> list[Judgement]:
    """Judge the candidates of one file, in their order.

    Args:
        sights: what :meth:`hygiene.detect.classifier_net.Net.sights` gave for the file.
        data: its bytes.
    """
    rest = Rest(data)
    return [sight.judged(rest.holds(candidate)) for candidate, sight in sights]


def is_structural(candidate: Candidate, value: bytes) -> bool:
    """Say whether a candidate's structure alone is worth a medium confidence, whatever the weights say.

    The private member of a JSON web key is one; so is a list of random bytes under the name of a key.
    """
    return candidate.kind == "jwk" or (candidate.kind == "bytes" and is_random_list(value))


def plain_features(value: list[float], text: bytes, candidate: Candidate, place: Place, around: Around) -> list[float]:
    """All features of a candidate but the linear score, in the order of ``FEATURES``; 0 for ``ELSEWHERE``."""
    return [
        *value,
        *name_features(text[candidate.name_start : candidate.name_end]),
        *place_features(text, candidate, place, around),
    ]
