"""From rules to what an engine runs; needed only when the cache has nothing."""

from __future__ import annotations

from hygiene.detect.encodings.prefilter import Shape, hints
from hygiene.detect.match import HINT, MAX_WIDTH, Pattern
from hygiene.detect.rules import Rule, RuleSet
from hygiene.detect.syntax import parse_pattern, width


def patterns_from_rules(rules: RuleSet) -> tuple[Pattern, ...]:
    """Take from each rule what matching needs, in the order of the rules; the hints at encoded text follow."""
    keywords = {keyword for rule in rules.rules for keyword in rule.keywords}
    return (*map(_pattern, rules.rules), *map(pattern_of_hint, hints(keywords)))


def pattern_of_hint(shape: Shape) -> Pattern:
    """Give the pattern of a hint at encoded text."""
    longest = width(parse_pattern(shape.pattern))[1]
    return Pattern(HINT + shape.encoding, "", "low", "low", shape.pattern, longest, shape.keywords)


def _pattern(rule: Rule) -> Pattern:
    longest = width(parse_pattern(rule.pattern))[1]
    return Pattern(
        id=rule.id,
        description=rule.description,
        severity=rule.severity,
        confidence=rule.confidence,
        pattern=rule.pattern,
        fast=rule.fast,
        width=MAX_WIDTH if longest < 0 else min(longest, MAX_WIDTH),
        keywords=tuple(keyword.lower() for keyword in rule.keywords),
        checksum=rule.checksum,
        exclude_paths=rule.exclude_paths,
        exclude_values=rule.exclude_values,
        generic=rule.generic,
        priority=rule.priority,
        family=rule.family or rule.id,
    )
