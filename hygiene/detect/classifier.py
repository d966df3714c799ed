"""The judgement of candidates: how probable it is that each is a credential, and why.

Three stages, each dearer than the last: what cannot be one is left out (``classifier_reject``); a linear model scores
hashed n-grams; boosted trees weigh that score and some 150 plain features. Plain Python throughout:
the hook has no numpy.
"""

from __future__ import annotations

from hygiene.detect.classifier_model import Model, boosted_score, linear_score, load_model
from hygiene.detect.classifier_name import NAME_FEATURES, name_features
from hygiene.detect.classifier_place import (
    ELSEWHERE,
    PLACE_FEATURES,
    Around,
    Line,
    Place,
    Rest,
    line_of,
    place_features,
    place_of,
)
from hygiene.detect.classifier_reasons import reasons_for
from hygiene.detect.classifier_text import hashed
from hygiene.detect.classifier_value import VALUE_FEATURES, is_random_list, value_features
from hygiene.detect.generic import Candidate, moved
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FEATURES = (*VALUE_FEATURES, *NAME_FEATURES, *PLACE_FEATURES, "linear")
_FIRST = FEATURES.index(ELSEWHERE[0])
_ELSEWHERE = slice(_FIRST, _FIRST + len(ELSEWHERE))


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
    file = _File(data, place_of(path))
    lines = [line_of(data, candidate) for candidate in candidates]
    on_line: dict[int, int] = {}
    for line in lines:
        on_line[line.start] = on_line.get(line.start, 0) + 1
    return [
        _judged(file, candidate, line, on_line[line.start]) for candidate, line in zip(candidates, lines, strict=True)
    ]


class _File:
    def __init__(self, data: bytes, place: Place) -> None:
        self.data = data
        self.place = place
        self.rest = Rest(data)


class View(NamedTuple):
    """All that the features of a candidate look at near it, wherever in a file it stands.

    In a history the same candidates come again in version after version: they are judged once.
    """

    place: int  # its number
    candidate: Candidate  # its offsets are from the start of the line
    text: bytes  # the line, and the value where that goes on below
    line_end: int
    previous: bytes
    following: bytes
    on_line: int
    size: int  # of the file, in bits: nearly the same in all versions


class _Known:
    """What was judged: a finding depends on the rest of its file, most candidates are none whatever that is."""

    def __init__(self) -> None:
        self.hopeless: set[View] = set()  # no finding, whatever the rest of the file holds
        self.promising: set[View] = set()
        self.judgements: dict[tuple[View, tuple[float, ...]], Judgement] = {}

    def forget(self) -> None:
        """Keep the memory bounded: some 40 MB."""
        if len(self.judgements) + len(self.hopeless) > _MOST_KNOWN:
            self.hopeless.clear()
            self.promising.clear()
            self.judgements.clear()


NOT_ONE = Judgement(0.0, ())  # no finding, whatever the rest of the file holds
_MOST_KNOWN = 40_000
_known = _Known()


def _judged(file: _File, candidate: Candidate, line: Line, on_line: int) -> Judgement:
    view = _view(file, candidate, line, on_line)
    if view in _known.hopeless:
        return NOT_ONE
    row: list[float] | None = None
    if view not in _known.promising:
        _known.forget()
        row = _row(load_model(), file, candidate, Around(line, on_line))
        if row is None:
            _known.hopeless.add(view)
            return NOT_ONE
        _known.promising.add(view)
    elsewhere = file.rest.holds(candidate)
    judgement = _known.judgements.get((view, elsewhere))
    if judgement is None:
        row = row or _row(load_model(), file, candidate, Around(line, on_line))
        judgement = _known.judgements[view, elsewhere] = _judgement(file, candidate, row, elsewhere)
    return judgement


def _row(model: Model, file: _File, candidate: Candidate, around: Around) -> list[float] | None:
    """Give the features of a candidate but ``ELSEWHERE``; None where it would be no credential in any other file."""
    structural = is_structural(candidate, file.data[candidate.start : candidate.end])
    score = linear_score(model, hashed(file.data, candidate, file.place, around.line))
    if score < model.floor and not structural:
        return None
    row = [*plain_features(model, file.data, candidate, file.place, around), score]
    return row if structural or model.near.total(row) >= model.near_least else None


def _judgement(file: _File, candidate: Candidate, row: list[float] | None, elsewhere: Sequence[float]) -> Judgement:
    if row is None:  # never: it is promising
        return NOT_ONE
    model = load_model()
    row[_ELSEWHERE] = elsewhere
    structural = is_structural(candidate, file.data[candidate.start : candidate.end])
    probability = max(boosted_score(model, row), model.medium if structural else 0.0)
    return Judgement(probability, reasons_for(row, probability, FEATURES) if probability else ())


def _view(file: _File, candidate: Candidate, line: Line, on_line: int) -> View:
    return View(
        place=file.place.number,
        candidate=moved(candidate, -line.start),
        text=file.data[line.start : max(line.end, candidate.end)],
        line_end=line.end - line.start,
        previous=line.previous,
        following=line.following,
        on_line=on_line,
        size=len(file.data).bit_length(),
    )


def is_structural(candidate: Candidate, value: bytes) -> bool:
    """Say whether a candidate's structure alone is worth a medium confidence, whatever the weights say.

    The private member of a JSON web key is one; so is a list of random bytes under the name of a key.
    """
    return candidate.kind == "jwk" or (candidate.kind == "bytes" and is_random_list(value))


def plain_features(model: Model, data: bytes, candidate: Candidate, place: Place, around: Around) -> list[float]:
    """All features of a candidate but the linear score, in the order of ``FEATURES``; 0 for ``ELSEWHERE``."""
    value = data[candidate.start : candidate.end]
    return [
        *value_features(value, model.bigrams, model.words),
        *name_features(data[candidate.name_start : candidate.name_end]),
        *place_features(data, candidate, place, around),
    ]
