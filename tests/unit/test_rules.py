from pathlib import Path

import pytest

from hygiene.detect.rulefile import parse_rule_file
from hygiene.detect.rules import load_rules, rules_digest
from hygiene.errors import ConfigError

OWN = """
[provider]
id = "shop"
name = "Our shop"
[[rules]]
id = "shop-key"
description = "Key of our shop"
severity = "high"
confidence = "high"
keywords = ["shopkey_"]
pattern = '''shopkey_[0-9a-f]{32}'''
"""


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_rule_file(text.encode(), "own.toml")
    return caught.value


def test_parse_rule_file_whole_rule_is_read():
    (rule,) = parse_rule_file(OWN.encode(), "own.toml")
    assert (rule.id, rule.provider, rule.family, rule.severity) == ("shop-key", "shop", "shop", "high")
    assert rule.keywords == (b"shopkey_",)
    assert b"(shopkey_[0-9a-f]{32})" in rule.pattern


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("keywords", "keyword", ["shop-key.keyword", "unknown key"]),
        ('severity = "high"', 'severity = "hi"', ["shop-key.severity", "none of"]),
        ('id = "shop-key"', 'id = "Shop Key"', ["rule Shop Key", "lower-case"]),
        ("pattern = '''shopkey_[0-9a-f]{32}'''", "pattern = '''(a+)+b'''", ["shop-key.pattern", "several ways"]),
        ("pattern = '''shopkey_[0-9a-f]{32}'''", "pattern = '''(?=a)b'''", ["shop-key.pattern", "look-around"]),
        ("pattern = '''shopkey_[0-9a-f]{32}'''", "", ["rule shop-key", "needs a pattern"]),
        ('keywords = ["shopkey_"]', "keywords = []", ["shop-key.keywords", "at least one"]),
        (
            'keywords = ["shopkey_"]',
            'keywords = ["a"]\nchecksum = "github-crc"',
            ["shop-key.checksum", "unknown check"],
        ),
        ('keywords = ["shopkey_"]', 'keywords = ["a"]\npriority = 900', ["shop-key.priority", "0 to 100"]),
        ("[[rules]]", "[rules]", ["rules", "list of tables"]),
        ("[provider]", "[provider", ["not TOML"]),
    ],
)
def test_parse_rule_file_mistake_is_named_with_its_place(old, new, words):
    message = refusal(OWN.replace(old, new, 1)).message
    assert message.startswith("own.toml")
    assert all(word in message for word in words)


def test_parse_rule_file_misspelt_key_gets_a_suggestion():
    assert "did you mean 'keywords'?" in refusal(OWN.replace("keywords", "keywrds")).hint


def test_load_rules_own_folder_is_read_beside_the_built_in_ones(tmp_path: Path):
    (tmp_path / "shop.toml").write_text(OWN)
    rules = load_rules([tmp_path])
    assert {"shop-key", "github-pat-classic"} <= {rule.id for rule in rules.rules}
    assert [rule.id for rule in load_rules([tmp_path], only=True).rules] == ["shop-key"]


def test_load_rules_same_id_twice_is_refused(tmp_path: Path):
    (tmp_path / "shop.toml").write_text(OWN.replace("shop-key", "github-pat-classic"))
    with pytest.raises(ConfigError, match="github-pat-classic"):
        load_rules([tmp_path])


def test_load_rules_unknown_id_to_disable_gets_a_suggestion():
    with pytest.raises(ConfigError) as caught:
        load_rules(disable=["github-pat-clasic"])
    assert caught.value.hint == "did you mean 'github-pat-classic'?"


def test_load_rules_missing_folder_is_a_configuration_error(tmp_path: Path):
    with pytest.raises(ConfigError):
        load_rules([tmp_path / "absent"])


def test_rules_digest_follows_content_and_settings(tmp_path: Path):
    (tmp_path / "shop.toml").write_text(OWN)
    digest = load_rules([tmp_path]).digest
    assert rules_digest([tmp_path]) == digest
    assert rules_digest([tmp_path], only=True) != digest
    assert rules_digest([tmp_path], disable=["github-pat-classic"]) != digest
    (tmp_path / "shop.toml").write_text(OWN.replace("high", "low"))
    assert rules_digest([tmp_path]) != digest
