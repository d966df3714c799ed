import re
from pathlib import Path

import pytest

from hygiene.detect.gitleaksrules import import_gitleaks, translate_regex
from hygiene.detect.rulefile import parse_rule_file
from hygiene.errors import ConfigError

CONFIG = """
[extend]
useDefault = true
[[rules]]
id = "Shop_Key"
description = "Shop key"
regex = '''(?i)\\b(shop)_([a-z0-9]{32})\\b'''
secretGroup = 2
entropy = 3.5
keywords = ["shop_"]
[[rules.allowlists]]
stopwords = ["sample"]
[[rules]]
id = "by-path"
path = '''\\.p12$'''
[[rules]]
id = "lookahead"
regex = '''abc(?=d)'''
keywords = ["abc"]
"""


def test_import_gitleaks_rule_is_written_in_our_format_and_the_rest_is_named(tmp_path: Path):
    path = tmp_path / "gitleaks.toml"
    path.write_text(CONFIG)
    imported = import_gitleaks(path)
    (rule,) = parse_rule_file(imported.text.encode(), "imported")
    assert (rule.id, rule.checksum, rule.exclude_values) == ("shop-key", "random", ("(?i)sample",))
    found = re.search(rule.pattern, b'k = "SHOP_0123456789abcdef0123456789abcdef"')
    assert found
    assert found[1] == b"0123456789abcdef0123456789abcdef"
    assert (imported.rules, imported.skipped) == (1, 2)
    text = "\n".join(imported.notes)
    assert all(word in text for word in ("[extend]", "entropy 3.5", "by-path", "lookahead", "look-around"))


def test_import_gitleaks_rule_whose_id_is_taken_gets_another(tmp_path: Path):
    path = tmp_path / "gitleaks.toml"
    path.write_text(CONFIG)
    imported = import_gitleaks(path, {"shop-key"})
    (rule,) = parse_rule_file(imported.text.encode(), "imported")
    assert rule.id == "gitleaks-shop-key"
    assert any("shop-key" in note and "gitleaks-shop-key" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("theirs", "group", "ours"),
    [
        (r"a(b)(c)", 2, r"a(?:b)(c)"),
        (r"a(b)", 0, r"a(b)"),
        (r"x(?i)y(z)", 0, r"x(?i:y(z))"),
        (r"[[:alnum:]_]+\z", 0, r"[0-9A-Za-z_]+$"),
        (r"(?P<name>a)\(", 0, r"(a)\("),
        (r"(?:a|b)[(]", 0, r"(?:a|b)[(]"),
    ],
)
def test_translate_regex_means_the_same(theirs, group, ours):
    assert translate_regex(theirs, group) == ours


@pytest.mark.parametrize("content", ["rules = 3", "not toml [", "\udc80"])
def test_import_gitleaks_what_is_no_configuration_is_refused(tmp_path: Path, content):
    path = tmp_path / "gitleaks.toml"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError):
        import_gitleaks(path)
