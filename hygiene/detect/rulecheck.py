"""Proves rules: on their own examples, on one another's, by both engines, and for patterns that could hang.

Every positive example of every rule is scanned by all rules at once, as a scan would: the rule must speak for it,
and be the only one that speaks for that secret. No negative example of a rule may bring it up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from hygiene.detect.backtracking import check_pattern
from hygiene.detect.checksum import ANCHORED, PLAUSIBILITY, check_secret
from hygiene.detect.compile import patterns_from_rules
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.engine_re import ReEngine
from hygiene.detect.examine import Examiner
from hygiene.detect.match import Hit, Match
from hygiene.detect.rules import Rule, RuleSet
from hygiene.detect.sources.protocol import Blob
from hygiene.detect.template import TemplateError, fill_template
from hygiene.finding import CONFIDENCES

_LEAST_EXAMPLES = 3
_LEAST_KEYWORD = 2
_DRAWS = 2  # times that each template is filled
_KEY = b"rule check"  # examples need no secret key


_ProblemOf = Callable[[Rule, str], str]  # "" for none


class Problem(NamedTuple):
    """What is wrong with a rule."""

    rule: str
    message: str


class RuleReport(NamedTuple):
    """What a check of rules did, and what it found."""

    rules: int
    providers: int
    positive: int  # examples, each drawn anew several times
    negative: int
    with_check: int  # rules with an offline checksum or structure
    problems: tuple[Problem, ...]


def check_rules(rules: RuleSet, only: Collection[str] = ()) -> RuleReport:
    """Prove the rules named in ``only`` (all, when empty) among all of ``rules``.

    Raises ConfigError for a pattern that Hyperscan refuses.
    """
    chosen = [rule for rule in rules.rules if not only or rule.id in only]
    problems = [Problem(rule.id, message) for rule in chosen for message in _formal_problems(rule)]
    if not any(problem.message.startswith("pattern") for problem in problems):
        bench = RuleBench(rules)
        problems += [Problem(rule.id, message) for rule in chosen for message in bench.problems(rule)]
    return RuleReport(
        rules=len(chosen),
        providers=len({rule.provider for rule in chosen}),
        positive=sum(len(rule.positive) for rule in chosen),
        negative=sum(len(rule.negative) for rule in chosen),
        with_check=sum(bool(rule.checksum) and rule.checksum not in PLAUSIBILITY for rule in chosen),
        problems=tuple(problems),
    )


def _formal_problems(rule: Rule) -> Iterator[str]:
    problem = check_pattern(rule.pattern)
    if problem:
        yield f"pattern {problem}"
    for keyword in rule.keywords:
        if len(keyword) < _LEAST_KEYWORD:
            yield f"keyword {keyword.decode()!r} is too short to filter by"
    if rule.generic:  # the classifier judges those; they are proved on labelled code
        return
    for kind, examples in (("positive", rule.positive), ("negative", rule.negative)):
        if len(set(examples)) < _LEAST_EXAMPLES:
            yield f"has {len(set(examples))} {kind} examples; {_LEAST_EXAMPLES} are needed"
    for action in ("verify", "rotate", "revoke"):
        if not getattr(rule, action):
            yield f"does not say how to {action} it"
    if not rule.impact:
        yield "does not say what its holder can do (impact)"


class RuleBench:
    """All rules, ready in both engines."""

    def __init__(self, rules: RuleSet) -> None:
        """Compile ``rules``; takes seconds for hundreds."""
        self._rules = {rule.id: rule for rule in rules.rules}
        patterns = patterns_from_rules(rules)
        self._ids = [pattern.id for pattern in patterns]
        self._fast = HyperscanEngine(patterns, compile_database(patterns))
        self._slow = ReEngine(patterns)
        self._examiner = Examiner(self._fast, lambda: _KEY, "low")

    def speakers(self, text: str, least: str = "medium") -> set[str]:
        """Give the specific rules that speak for something in ``text`` with at least this confidence."""
        return {name for name in self.all_speakers(text, least) if not self.is_generic(name)}

    def all_speakers(self, text: str, least: str = "medium", path: str = "example") -> set[str]:
        """Give all rules that speak for something in ``text``, were it in a file of this name."""
        return {name for name, _ in self.findings(text, least, path)}

    def findings(self, text: str, least: str = "medium", path: str = "example") -> list[tuple[str, bytes]]:
        """Give the rules that speak and the values that they speak for, as ``all_speakers`` does."""
        return [(self._ids[hit.rule], hit.secret) for hit in self._hits(text, least, path)]

    def is_generic(self, name: str) -> bool:
        """Say whether the rule so named stands for no provider."""
        return self._rules[name].generic

    def problems(self, rule: Rule) -> Iterator[str]:
        """Prove ``rule`` on its examples."""
        for template in rule.positive:
            yield from self._each(rule, template, self._positive_problem)
        for template in rule.negative:
            yield from self._each(rule, template, self._negative_problem)

    def _each(self, rule: Rule, template: str, problem_of: _ProblemOf) -> Iterator[str]:
        for draw in range(_DRAWS):
            try:
                text = fill_template(template, f"{rule.id} {template} {draw}")
            except TemplateError as error:
                yield f"example {template!r} {error}"
                return
            problem = problem_of(rule, text) or self._disagreement(text)
            if problem:
                yield f"{problem} in {template!r}"
                return

    def _positive_problem(self, rule: Rule, text: str) -> str:
        hits = self._hits(text, rule.confidence)
        names = [self._ids[hit.rule] for hit in hits]
        if rule.id in names:
            twice = [name for name, count in Counter(hit.secret for hit in hits).items() if count > 1]
            return "finds one secret twice" if twice else ""
        if rule.generic:
            return ""
        return f"is silent, {', '.join(names)} speaks," if names else f"finds nothing ({self._why(rule, text)})"

    def _why(self, rule: Rule, text: str) -> str:
        matches = [match for match in self._fast.matches(text.encode()) if self._ids[match.rule] == rule.id]
        if not matches:
            return "no match"
        secret = text.encode()[matches[0].secret_start : matches[0].secret_end]
        verdict = check_secret(rule.checksum, secret, text.encode())
        return "the check fails" if verdict is False else "confidence too low, excluded, or a placeholder"

    def _negative_problem(self, rule: Rule, text: str) -> str:
        # What fails such a check may be told with a reserve (ADR 0149), though never as certain.
        least = "high" if rule.checksum in ANCHORED else "medium"
        return "speaks" if rule.id in [self._ids[hit.rule] for hit in self._hits(text, least)] else ""

    def _hits(self, text: str, least: str, path: str = "example") -> Sequence[Hit]:
        hits = self._examiner.examine(Blob(id="", data=text.encode(), path=path))
        return [hit for hit in hits if CONFIDENCES.index(hit.confidence) >= CONFIDENCES.index(least)]

    def _specific(self, matches: Sequence[Match]) -> set[Match]:
        # What a generic rule marks are only places where candidates are then sought.
        return {match for match in matches if self._ids[match.rule] in self._rules and not self._generic(match)}

    def _generic(self, match: Match) -> bool:
        return self._rules[self._ids[match.rule]].generic

    def _disagreement(self, text: str) -> str:
        data = text.encode()
        fast, slow = (self._specific(engine.matches(data)) for engine in (self._fast, self._slow))
        if fast == slow:
            return ""
        return f"the engines disagree on {', '.join(sorted({self._ids[match.rule] for match in fast ^ slow}))}"
