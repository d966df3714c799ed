"""Offsets at which generic rules hit → guesses: which rule speaks, and with what confidence."""

from __future__ import annotations

from hygiene.detect.classifier import NOT_ONE, Judgement, judge
from hygiene.detect.classifier_gate import Gate
from hygiene.detect.classifier_model import load_model
from hygiene.detect.classifier_name import kind_of_name
from hygiene.detect.classifier_net import Held, Net
from hygiene.detect.generic import MAX_CANDIDATES, Candidate
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hygiene.detect.dull import Dull

_RULE_OF_KIND = {
    "url": "generic-url-password",
    "header": "generic-auth-header",
    "jwk": "generic-jwk",
    "key-block": "generic-private-key",
    "bytes": "generic-key-bytes",
}


_MANY = MAX_CANDIDATES // 2  # candidates; the other half may have been left out as dull


class Guess(NamedTuple):
    """A credential without a provider's format, as the classifier sees it."""

    rule: str  # the id of a generic rule
    start: int
    end: int
    confidence: str
    reasons: tuple[str, ...]


def guesses(data: bytes, path: str, offsets: Sequence[int], dull: Dull | None = None) -> Iterator[Guess]:
    """Give what may be a credential on the lines of ``offsets``, in the order of its place; tell ``dull`` the rest."""
    lines: list[Held] | None = None if dull is None else []
    candidates = _net().candidates(data, path, offsets, lines)
    judgements = judge(candidates, data, path, has_versions=dull is not None) if candidates else []
    if dull is not None and lines:
        _tell(dull, lines, candidates, judgements)
    for candidate, judgement in zip(candidates, judgements, strict=True):
        confidence = confidence_of(judgement)
        if confidence:
            yield Guess(rule_of(candidate, data), candidate.start, candidate.end, confidence, judgement.reasons)


def _tell(dull: Dull, lines: Sequence[Held], candidates: Sequence[Candidate], judgements: Sequence[Judgement]) -> None:
    """Tell ``dull`` the lines of which nothing can become a finding in a file that has the same text around them."""
    hopeless = {candidate for candidate, judgement in zip(candidates, judgements, strict=True) if judgement is NOT_ONE}
    dull.lines += [(line.start, line.end) for line in lines if hopeless.issuperset(line.candidates)]
    # The members of a JSON web key are found from afar; and of too many candidates the last ones are not read.
    dull.unsure = len(candidates) > _MANY or any(candidate.kind == "jwk" for candidate in candidates)


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
