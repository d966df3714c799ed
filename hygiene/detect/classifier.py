"""The judgement of candidates: how probable it is that each is a credential, and why.

Three stages, each dearer than the last: what cannot be one is left out (``classifier_reject``); a linear model scores
hashed n-grams; boosted trees weigh that score and some 150 plain features. Plain Python throughout:
the hook has no numpy.
"""

from __future__ import annotations

from hygiene.detect.classifier_model import Model, boosted_score, linear_score, load_model
from hygiene.detect.classifier_name import NAME_FEATURES, name_features
from hygiene.detect.classifier_place import (
    LINES_AROUND,
    PLACE_FEATURES,
    Around,
    Place,
    elsewhere,
    line_of,
    place_features,
    place_of,
)
from hygiene.detect.classifier_reasons import reasons_for
from hygiene.detect.classifier_reject import hopeless
from hygiene.detect.classifier_text import hashed
from hygiene.detect.classifier_value import VALUE_FEATURES, is_random_list, value_features
from hygiene.detect.generic import MAX_CANDIDATES, Candidate, candidates_between, key_block_end, windows
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FEATURES = (*VALUE_FEATURES, *NAME_FEATURES, *PLACE_FEATURES, "linear")
_BEYOND = 48  # bytes after a line that may decide whether it holds a candidate
_MOST_DULL = 100_000  # lines; some 10 MB


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
    on_line: dict[int, int] = {}
    for line in lines:
        on_line[line.start] = on_line.get(line.start, 0) + 1
    folded = data.lower() if candidates else b""
    verdicts = []
    for candidate, line in zip(candidates, lines, strict=True):
        around = Around(line, on_line[line.start], folded)
        view = _view(data, place, candidate, around)
        verdict = _known.get(view)
        if verdict is None:
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            verdict = _known[view] = _judgement(model, data, candidate, place, around)
        verdicts.append(verdict)
    return verdicts


def _judgement(model: Model, data: bytes, candidate: Candidate, place: Place, around: Around) -> Judgement:
    score = linear_score(model, hashed(data, candidate, place, around.line))
    if score < model.floor:
        return Judgement(0.0, ())
    row = [*plain_features(model, data, candidate, place, around), score]
    least = least_probability(candidate, data[candidate.start : candidate.end], model.medium)
    probability = max(boosted_score(model, row), least)
    return Judgement(probability, reasons_for(row, probability, FEATURES) if probability else ())


class View(NamedTuple):
    """All that the features of a candidate look at, wherever in a file it stands.

    In a history the same candidates come again in version after version: they are judged once.
    """

    place: Place
    text: bytes
    candidate: Candidate  # its offsets are in the text
    line_end: int
    on_line: int
    elsewhere: tuple[float, ...]
    size: int


_MOST_KNOWN = 20_000  # some 20 MB
_known: dict[View, Judgement] = {}


def _view(data: bytes, place: Place, candidate: Candidate, around: Around) -> View:
    line = around.line
    begin = max(0, line.start - LINES_AROUND)
    shifted = candidate._replace(
        start=candidate.start - begin,
        end=candidate.end - begin,
        name_start=candidate.name_start - begin,
        name_end=candidate.name_end - begin,
    )
    return View(
        place=place,
        text=data[begin : max(line.end, candidate.end) + LINES_AROUND],
        candidate=shifted,
        line_end=line.end - begin,
        on_line=around.on_line,
        elsewhere=elsewhere(data, candidate, around),
        size=len(data).bit_length(),
    )


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
        block_end = 0
        for start, end in windows(data, hits):
            if start < block_end:
                continue
            text = (place.language, data[start : end + _BEYOND])
            if text in self._dull:
                continue
            kept = self._promising(data, start, end, place)
            if not kept:
                self._remember(text)
            block_end = max(block_end, key_block_end(kept))
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


def least_probability(candidate: Candidate, value: bytes, medium: float) -> float:
    """What a candidate's structure alone is worth, whatever the weights say.

    The private member of a JSON web key is one; so is a list of random bytes under the name of a key.
    """
    structural = candidate.kind == "jwk" or (candidate.kind == "bytes" and is_random_list(value))
    return medium if structural else 0.0


def plain_features(model: Model, data: bytes, candidate: Candidate, place: Place, around: Around) -> list[float]:
    """All features of a candidate but the linear score, in the order of ``FEATURES``."""
    value = data[candidate.start : candidate.end]
    return [
        *value_features(value, model.bigrams, model.words),
        *name_features(data[candidate.name_start : candidate.name_end]),
        *place_features(data, candidate, place, around),
    ]
