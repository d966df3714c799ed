"""Scans examples as a scan at default confidence does, and counts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from bench.published.peers import Published
from bench.published.samples import Sample, negatives, neutral, positives
from bench.published.types import COMMONEST
from hygiene.detect.known import is_placeholder
from hygiene.detect.rulecheck import RuleBench
from hygiene.detect.rules import RuleSet

_RUN = re.compile(r"[\w+/~.-]{8,}")


class Group(NamedTuple):
    """The texts of one kind."""

    kind: str
    credential: bool
    texts: int
    heard: int  # something is said of them; of a counter-example that names a rule: by that rule
    specific: int  # by a rule that is not generic
    any_confidence: int  # something is said of them with --min-confidence low
    wrong: tuple[str, ...]  # the misses, or the false alarms


def measure(rules: RuleSet, bench: RuleBench) -> Iterator[Group]:
    """Measure our own list."""
    chosen = [rule for rule in rules.rules if rule.id in COMMONEST]
    if len(chosen) != len(set(COMMONEST)):
        raise ValueError(f"no rule for {set(COMMONEST) - {rule.id for rule in chosen}}")
    yield from _groups(bench, (sample for rule in chosen for sample in positives(rule)), credential=True)
    yield from _groups(bench, (sample for rule in chosen for sample in negatives(rule)), credential=False)
    yield from _groups(bench, neutral(len(chosen)), credential=False)


def measure_published(bench: RuleBench, published: Collection[Published], common: Mapping[str, str]) -> Iterator[Group]:
    """Measure a peer's list: the types in ``common`` first (a peer's rule → our name of the type), then all.

    A value that the peer publishes as a credential elsewhere is no false alarm where it stands in a counter-example.
    """
    known = "\n".join(each.text for each in published if each.credential)
    chosen = [each for each in published if each.type in common]
    for kind, members in (
        ("common types", [each for each in chosen if each.credential]),
        ("… but what was plainly made up", [each for each in chosen if each.credential and not _is_made_up(each.text)]),
        ("all types", [each for each in published if each.credential]),
        ("common types, counter-examples", [each for each in chosen if not each.credential]),
        ("all types, counter-examples", [each for each in published if not each.credential]),
    ):
        samples = [Sample(kind, "example", each.text, common.get(each.type, each.type)) for each in members]
        yield _group(bench, kind, samples, credential=not kind.endswith("counter-examples"), known=known)


def missed_types(group: Group) -> dict[str, int]:
    """Give how many of a group's texts are wrong, by type."""
    types = [line.partition(": ")[0] for line in group.wrong]
    return {kind: types.count(kind) for kind in dict.fromkeys(types)}


def _is_made_up(text: str) -> bool:
    """Say whether the longest run of an example counts up, repeats or says that it is an example."""
    longest = max(_RUN.findall(text), key=len, default="")
    return is_placeholder(longest.encode())


def _groups(bench: RuleBench, samples: Iterable[Sample], *, credential: bool) -> Iterator[Group]:
    kinds: dict[str, list[Sample]] = {}
    for sample in samples:
        kinds.setdefault(sample.kind, []).append(sample)
    for kind, members in kinds.items():
        yield _group(bench, kind, members, credential=credential, own=True)


def _group(
    bench: RuleBench, kind: str, samples: Collection[Sample], *, credential: bool, own: bool = False, known: str = ""
) -> Group:
    heard, specific, quiet, wrong = 0, 0, 0, []
    for sample in samples:
        found = bench.findings(sample.text, path=sample.path)
        if not credential:
            found = [(name, secret) for name, secret in found if secret.decode("utf-8", "replace") not in known or own]
        speakers = {name for name, _ in found}
        is_heard = sample.rule in speakers if own and not credential and sample.rule else bool(speakers)
        heard += is_heard
        specific += any(not bench.is_generic(name) for name in speakers)
        quiet += is_heard or bool(bench.findings(sample.text, "low", sample.path))
        if is_heard is not credential:
            wrong.append(f"{sample.rule or kind}: {sorted(speakers)} {sample.text[:300]!r}")
    return Group(kind, credential, len(samples), heard, specific, quiet, tuple(wrong))
