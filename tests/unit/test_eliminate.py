from __future__ import annotations

from fnmatch import filter as matching

import pytest

from hygiene.detect.rules import load_rules
from hygiene.rotate.eliminate import Advice, advice_for, all_advice
from hygiene.rotate.registry import PROVIDERS


def test_table_names_only_rules_and_providers_that_exist() -> None:
    rules = [rule.id for rule in load_rules().rules]
    for advice in all_advice():
        assert advice.providers or advice.rules
        assert set(advice.providers) <= set(PROVIDERS)
        assert all(matching(rules, glob) for glob in advice.rules), advice.rules


@pytest.mark.parametrize("advice", all_advice(), ids=lambda advice: (*advice.providers, *advice.rules)[0])
def test_advice_has_exact_steps_and_a_source(advice: Advice) -> None:
    assert advice.link.startswith("https://")
    for steps in (advice.steps, advice.github, advice.gitlab):
        assert len(steps) != 1 and all(step.strip() for step in steps)
    assert advice.steps


@pytest.mark.parametrize(
    ("provider", "rule", "word"),
    [
        ("aws_iam", "", "roles"),
        ("declared", "aws-secret-access-key", "roles"),
        ("gcp_service_account", "gcp-service-account-key", "federation"),
        ("declared", "pypi-token", "trusted publishing"),
        ("declared", "github-pat-fine-grained", "GitHub App"),
        ("openbao_approle", "", "JWT"),
        ("postgresql", "", "leases"),
    ],
)
def test_credential_with_a_better_way_is_told(provider: str, rule: str, word: str) -> None:
    advice = advice_for(provider, rule)
    assert advice is not None and word in advice.instead


@pytest.mark.parametrize(("provider", "rule"), [("redis", ""), ("declared", ""), ("declared", "stripe-secret-key")])
def test_credential_without_a_better_way_is_left(provider: str, rule: str) -> None:
    assert advice_for(provider, rule) is None


def test_steps_are_those_of_the_pipeline_that_the_repository_has() -> None:
    advice = advice_for("aws_iam", "")
    assert advice is not None
    assert advice.steps_for(["github", "gitlab"]) == advice.github
    assert advice.steps_for(["gitlab"]) == advice.gitlab
    assert advice.steps_for([]) == advice.steps
    github = advice_for("declared", "gitlab-pat")
    assert github is not None and github.steps_for(["github"]) == github.steps
