from datetime import date

import pytest

from hygiene.config import Allow
from hygiene.detect.allowlist import Allowlist, describe
from hygiene.errors import ConfigError
from hygiene.finding import Finding, Provenance
from hygiene.secret import Secret

COMMIT = "c" * 40
FINDING = Finding(
    rule="jwt",
    description="",
    severity="high",
    confidence="high",
    path="tests/a.py",
    line_start=1,
    line_end=1,
    column_start=1,
    column_end=2,
    start=0,
    end=1,
    blob="b",
    secret=Secret(b"value-of-a-test"),
    fingerprint="v1:abc",
    provenance=(Provenance("commit", "tests/a.py", COMMIT),),
)
TODAY = date(2026, 1, 1)


def allowlist(**conditions):
    return Allowlist([Allow(reason="known", **conditions)], TODAY)


@pytest.mark.parametrize(
    "conditions",
    [
        {"rule": "jwt"},
        {"path": "tests/**"},
        {"fingerprint": "v1:abc"},
        {"value": "^value-"},
        {"commit": COMMIT},
        {"commit": COMMIT[:12]},
        {"rule": "jwt", "path": "tests/**", "expires": TODAY},
    ],
)
def test_allowlist_entry_whose_conditions_hold_covers(conditions):
    allowed = allowlist(**conditions)
    assert allowed.covering(FINDING)
    assert allowed.unused == ()


@pytest.mark.parametrize(
    "conditions",
    [
        {"rule": "other"},
        {"rule": "jwt", "path": "src/**"},
        {"fingerprint": "v1:ab"},
        {"value": "other"},
        {"commit": "d" * 40},
        {"commit": "ccc"},
    ],
)
def test_allowlist_entry_with_a_condition_that_fails_covers_not(conditions):
    allowed = allowlist(**conditions)
    assert allowed.covering(FINDING) is None
    assert len(allowed.unused) == 1


def test_allowlist_path_covers_no_leak_that_also_stands_elsewhere():
    places = (*FINDING.provenance, Provenance("commit", "src/b.py", COMMIT))
    assert allowlist(path="tests/**").covering(FINDING._replace(provenance=places)) is None


def test_allowlist_expired_entry_covers_not_and_is_told():
    allowed = allowlist(rule="jwt", expires=date(2025, 12, 31))
    assert allowed.covering(FINDING) is None
    assert [describe(entry) for entry in allowed.expired] == ["rule 'jwt'"]


def test_allowlist_broken_pattern_is_a_config_error():
    with pytest.raises(ConfigError, match="not a pattern"):
        allowlist(value="(")
