"""From rules to what an engine runs; needed only when the cache has nothing."""

from __future__ import annotations

from hygiene.detect.match import MAX_WIDTH, Pattern
from hygiene.detect.rules import Rule, RuleSet
from hygiene.detect.syntax import parse_pattern, width


def patterns_from_rules(rules: RuleSet) -> tuple[Pattern, ...]:
    """Take from each rule what matching needs, in the order of the rules."""
    return tuple(_pattern(rule) for rule in rules.rules)


def _pattern(rule: Rule) -> Pattern:
    longest = width(parse_pattern(rule.pattern))[1]
    return Pattern(
        id=rule.id,
        description=rule.description,
        severity=rule.severity,
        confidence=rule.confidence,
        pattern=rule.pattern,
        width=MAX_WIDTH if longest < 0 else min(longest, MAX_WIDTH),
        keywords=tuple(keyword.lower() for keyword in rule.keywords),
        checksum=rule.checksum,
        exclude_paths=rule.exclude_paths,
        exclude_values=rule.exclude_values,
        generic=rule.generic,
        priority=rule.priority,
        family=rule.family or rule.id,
    )
