"""Scans examples as a scan at default confidence does, and counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bench.published.peers import Published
from bench.published.samples import Sample, negatives, neutral, positives
from bench.published.types import COMMONEST
from hygiene.detect.rulecheck import RuleBench
from hygiene.detect.rules import RuleSet


class Group(NamedTuple):
    """The texts of one kind."""

    kind: str
    credential: bool
    texts: int
    heard: int  # something is said of them; of a counter-example that names a rule: by that rule
    specific: int  # by a rule that is not generic
    wrong: tuple[str, ...]  # the misses, or the false alarms


def measure(rules: RuleSet, bench: RuleBench) -> Iterator[Group]:
    """Measure our own list."""
    chosen = [rule for rule in rules.rules if rule.id in COMMONEST]
    if len(chosen) != len(set(COMMONEST)):
        raise ValueError(f"no rule for {set(COMMONEST) - {rule.id for rule in chosen}}")
    yield from _groups(bench, (sample for rule in chosen for sample in positives(rule)), credential=True)
    yield from _groups(bench, (sample for rule in chosen for sample in negatives(rule)), credential=False)
    yield from _groups(bench, neutral(len(chosen)), credential=False)


def measure_published(bench: RuleBench, published: Iterable[Published]) -> Iterator[Group]:
    """Measure a peer's list."""
    published = list(published)
    for credential, kind in ((True, "credentials"), (False, "none")):
        texts = [Sample(kind, "example", each.text, "") for each in published if each.credential is credential]
        yield from _groups(bench, texts, credential=credential)


def _groups(bench: RuleBench, samples: Iterable[Sample], *, credential: bool) -> Iterator[Group]:
    kinds: dict[str, list[Sample]] = {}
    for sample in samples:
        kinds.setdefault(sample.kind, []).append(sample)
    for kind, members in kinds.items():
        heard, specific, wrong = 0, 0, []
        for sample in members:
            speakers = bench.all_speakers(sample.text, path=sample.path)
            of_its_own = {name for name in speakers if not bench.is_generic(name)}
            is_heard = bool(speakers) if credential or not sample.rule else sample.rule in speakers
            heard += is_heard
            specific += bool(of_its_own)
            if is_heard is not credential:
                wrong.append(f"{kind}: {sample.rule} {sorted(speakers)} {sample.text[:150]!r}")
        yield Group(kind, credential, len(members), heard, specific, tuple(wrong))
