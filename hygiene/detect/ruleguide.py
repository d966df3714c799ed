"""What a person wants to know of a rule: what it finds, how sure it is, what the finding means, what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from hygiene.detect.checksum import ANCHORED, PLAUSIBILITY
from hygiene.detect.rules import Rule, RuleSet
from hygiene.detect.template import fill_template

_WIDTH = 100
_ACTIONS = (("verify", "Is it live?"), ("rotate", "Replace it"), ("revoke", "Make it worthless"))


def explain_rule(rule: Rule) -> str:
    """Describe ``rule`` in a page of plain text. The example is made up on the spot and opens nothing."""
    lines = [f"{rule.id}: {rule.description}", ""]
    lines += _paragraph("Holder", rule.impact)
    lines += _paragraph("Severity", f"{rule.severity}, confidence {rule.confidence} ({_certainty(rule)})")
    if rule.positive:
        lines += _paragraph("Looks like", _shortened(fill_template(rule.positive[0], rule.id)))
    lines += _paragraph("Keywords", ", ".join(keyword.decode() for keyword in rule.keywords))
    for action, title in _ACTIONS:
        lines += _paragraph(title, describe_action(getattr(rule, action)))
    lines += _paragraph("Read more", rule.docs)
    lines += ["", f"Accept one: hygiene: allow {rule.id} reason=… on its line. Never look for it: [rules] disable."]
    return "\n".join(lines) + "\n"


def describe_action(action: Mapping[str, Any]) -> str:
    """Say in a sentence what an action table tells to do."""
    if not action:
        return ""
    if "request" not in action:
        return " ".join(str(action[key]) for key in ("steps", "link") if action.get(key))
    answers = [
        f"{', '.join(map(str, action[key]))} means {word}"
        for key, word in (("live", "live"), ("dead", "dead"), ("done", "done"))
        if action.get(key)
    ]
    owner = " (needs nothing but the credential itself)" if action.get("self") else ""
    note = f" {action['note']}" if action.get("note") else ""
    return f"{action['request']}: {'; '.join(answers)}{owner}.{note}"


def suggest_rule(name: str, rules: RuleSet) -> str:
    """Suggest the rule that ``name`` may have meant."""
    known = [rule.id for rule in rules.rules]
    near = get_close_matches(name, known, 3) or [other for other in known if name in other][:3]
    return f"did you mean {' or '.join(near)}?" if near else "see hygiene rules list"


def _certainty(rule: Rule) -> str:
    if rule.checksum and rule.checksum not in PLAUSIBILITY:
        failed = "medium or low" if rule.checksum in ANCHORED else "low"
        return f"high once its check {rule.checksum} passes, {failed} if that fails"
    if rule.generic:
        return "as the classifier judges it"
    if rule.checksum:
        return "low for a value that was plainly never drawn at random"
    return "by its shape alone"


def _paragraph(title: str, text: str) -> list[str]:
    if not text:
        return []
    body = textwrap.wrap(text, _WIDTH - 20, break_on_hyphens=False, break_long_words=False) or [""]
    return [f"  {title + ':':19}{body[0]}", *(" " * 21 + line for line in body[1:])]


def _shortened(text: str) -> str:
    first = text.replace("\n", "\\n")
    return first if len(first) <= _WIDTH - 20 else first[: _WIDTH - 24] + " …"
