"""The built-in rules, proved as `hygiene rules check` proves them."""

from functools import lru_cache

from hygiene.detect.rulecheck import RuleReport, check_rules
from hygiene.detect.rules import load_rules


@lru_cache(maxsize=1)
def report() -> RuleReport:
    return check_rules(load_rules())


def test_built_in_rules_hold_on_all_examples_in_both_engines():
    assert [f"{problem.rule} {problem.message}" for problem in report().problems] == []
