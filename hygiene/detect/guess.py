"""Offsets at which generic rules hit → guesses: which rule speaks, and with what confidence."""

from __future__ import annotations

from importlib import import_module

from hygiene.detect.classifier_gate import Gate
from hygiene.detect.classifier_model import load_model
from hygiene.detect.classifier_name import kind_of_name
from hygiene.detect.classifier_net import Net
from hygiene.detect.generic import Candidate
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hygiene.detect.classifier import Judgement, Sight
    from hygiene.detect.classifier_model import Model
    from hygiene.detect.classifier_place import Place

_RULE_OF_KIND = {
    "url": "generic-url-password",
    "header": "generic-auth-header",
    "jwk": "generic-jwk",
    "key-block": "generic-private-key",
    "bytes": "generic-key-bytes",
}


class Guess(NamedTuple):
    """A credential without a provider's format, as the classifier sees it."""

    rule: str  # the id of a generic rule
    start: int
    end: int
    confidence: str
    reasons: tuple[str, ...]


def guesses(data: bytes, path: str, offsets: Sequence[int]) -> Iterator[Guess]:
    """Give what may be a credential on the lines of ``offsets``, in the order of its place."""
    sights = _net().sights(data, path, offsets)
    if not sights:
        return
    judge = import_module("hygiene.detect.classifier").judge  # most commits have no use for it
    for (candidate, _sight), judgement in zip(sights, judge(sights, data), strict=True):
        confidence = confidence_of(judgement)
        if confidence and not _is_refuted(data, path, candidate):
            yield Guess(rule_of(candidate, data), candidate.start, candidate.end, confidence, judgement.reasons)


def _is_refuted(data: bytes, path: str, candidate: Candidate) -> bool:
    refuted: bool = import_module("hygiene.detect.guess_reject").is_refuted(data, path, candidate)
    return refuted


def rule_of(candidate: Candidate, data: bytes) -> str:
    """Name the rule under which a candidate is reported."""
    if candidate.kind == "token":
        is_jwt = data.startswith(b"eyJ", candidate.start)
        return "generic-jwt" if is_jwt else "generic-account-id"
    if candidate.kind in _RULE_OF_KIND:
        return _RULE_OF_KIND[candidate.kind]
    return f"generic-{kind_of_name(data[candidate.name_start : candidate.name_end])}"


def confidence_of(judgement: Judgement) -> str:
    """Give the confidence that a probability stands for; "" for what is not worth mentioning."""
    model = load_model()
    for confidence, least in (("high", model.high), ("medium", model.medium), ("low", model.low)):
        if judgement.probability >= least:
            return confidence
    return ""


class _Looker:
    """Looks at candidate after candidate: at what it says of itself, then at its line."""

    def __init__(self, model: Model) -> None:
        self._gate = Gate(model)

    def look(self, text: bytes, candidate: Candidate, place: Place, on_line: int) -> Sight | None:
        """See :func:`hygiene.detect.classifier.look`."""
        _kind, start, end, name_start, name_end, _operator, _quote = candidate
        value = self._gate.value_features(candidate, text[start:end], text[name_start:name_end], place)
        if value is None:
            return None
        look = import_module("hygiene.detect.classifier").look  # most commits have no use for it
        sight: Sight | None = look(text, candidate, place, on_line, value)
        return sight


def _net() -> Net:
    """The net of this process, which remembers lines from blob to blob."""
    if not _nets:
        model = load_model()
        _nets.append(Net(model.words, _Looker(model).look))
    return _nets[0]


_nets: list[Net] = []
