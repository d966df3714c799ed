from datetime import date

import pytest

from hygiene.config import Allow, Config
from hygiene.detect.baseline import Baseline, Entry
from hygiene.detect.policy import loosened, tightened_baseline, tightened_config

ALLOW = Allow(reason="known", rule="jwt", path="tests/**", expires=date(2030, 1, 1))
BASE = Config(exclude=("third_party/**",), min_confidence="medium", disable=("noisy",), allow=(ALLOW,))


@pytest.mark.parametrize(
    "change",
    [
        {"exclude": ("third_party/**", "src/**")},
        {"min_confidence": "high"},
        {"disable": ("noisy", "other")},
        {"allow": (ALLOW, Allow(reason="mine", value=".*"))},
        {"allow": (ALLOW._replace(expires=date(2040, 1, 1)),)},
        {"allow": (ALLOW._replace(expires=None),)},
        {"allow": (ALLOW._replace(path="**"), ALLOW)},
        {"rule_folders": ("evil",)},
        {"only_own_rules": True},
    ],
)
def test_tightened_config_loosening_is_ignored_and_told(change):
    head = BASE._replace(**change)
    assert tightened_config(BASE, head) == BASE
    assert loosened(BASE, head)


@pytest.mark.parametrize(
    "change",
    [
        {"exclude": ()},
        {"min_confidence": "low"},
        {"disable": ()},
        {"allow": ()},
        {"allow": (ALLOW._replace(expires=date(2029, 1, 1)),)},
    ],
)
def test_tightened_config_tightening_counts(change):
    head = BASE._replace(**change)
    assert tightened_config(BASE, head) == head
    assert not loosened(BASE, head)


def test_tightened_config_no_limit_is_the_strictest_limit():
    assert tightened_config(BASE._replace(max_file_bytes=0), BASE._replace(max_file_bytes=5)).max_file_bytes == 0
    assert tightened_config(BASE._replace(max_file_bytes=9), BASE._replace(max_file_bytes=5)).max_file_bytes == 9


def baseline(*names, key=b"k" * 32):
    return Baseline(key, {name: Entry(name, "rule", "path") for name in names})


def test_tightened_baseline_added_entry_is_ignored_and_removed_one_goes():
    assert tightened_baseline(baseline("a", "b"), baseline("b", "c")) == baseline("b")


def test_tightened_baseline_other_key_leaves_the_base():
    assert tightened_baseline(baseline("a"), baseline(key=b"x" * 32)) == baseline("a")


def test_tightened_baseline_new_baseline_accepts_nothing():
    assert tightened_baseline(None, baseline("a")) is None
