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

    from hygiene.detect.classifier import Judgement

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
    candidates = _net().candidates(data, path, offsets)
    if not candidates:
        return
    judge = import_module("hygiene.detect.classifier").judge  # most commits have no use for it
    for candidate, judgement in zip(candidates, judge(candidates, data, path), strict=True):
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


def _net() -> Net:
    """The net of this process, which remembers dull lines from blob to blob."""
    if not _nets:
        _nets.append(Net(load_model().words, Gate(load_model())))
    return _nets[0]


_nets: list[Net] = []
