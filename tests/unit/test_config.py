from pathlib import Path

import pytest

from hygiene.config import Config, find_config, parse_config, read_config
from hygiene.errors import ConfigError, ExitCode

FULL = b"""
[scan]
exclude = ["third_party/**"]
min_confidence = "high"
[rules]
disable = ["generic-password"]
folders = ["security/rules"]
only = true
[[allow]]
rule = "jwt"
path = "tests/**"
reason = "signed with a test key"
expires = 2027-06-30
[stores.prod]
uri = "vault://secret/shop"
[roles.deploy]
members = ["age1abc"]
paths = ["shop/**"]
may = ["read", "rotate"]
[rotation]
max_age = "90d"
[expiry]
when = "warn"
[providers.aws_iam]
admin = "ref+embedded://admin/aws"
hosts = ["iam.example.com"]
"""


def test_config_whole_document_is_read():
    config = parse_config(FULL, Path(".hygiene.toml"))
    assert config.exclude == ("third_party/**",)
    assert config.min_confidence == "high"
    assert (config.disable, config.rule_folders, config.only_own_rules) == (
        ("generic-password",),
        ("security/rules",),
        True,
    )
    assert config.allow[0].expires.year == 2027
    assert config.stores == {"prod": "vault://secret/shop"}
    assert config.roles[0].may == ("read", "rotate")
    assert config.providers["aws_iam"].hosts == ("iam.example.com",)
    assert (config.rotation_max_age, config.expiry_when) == ("90d", "warn")


def test_config_absent_gives_the_defaults():
    assert read_config(None) == Config()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (b"[scann]", "scann: unknown key", "scan"),
        (b"[scan]\nexlude = []", "scan.exlude: unknown key", "exclude"),
        (b"[scan]\nexclude = 'a'", "scan.exclude: is a list of strings", ""),
        (b"[scan]\nmin_confidence = 'hihg'", "min_confidence", "high"),
        (b"scan = 1", "scan: is a table", ""),
        (b"[[allow]]\nrule = 'a'", "needs a reason", ""),
        (b"[[allow]]\nreason = 'a'", "at least one of", ""),
        (b"[allow]\nreason = 'a'", "list of tables", ""),
        (b"[[allow]]\nreason = 1\nrule='x'", "allow.reason: is of type str", ""),
        (b"[roles.a]\nmay = ['raed']", "unknown verb", "read"),
        (b"[stores]\nprod = 'x'", r"\[stores.NAME\]", ""),
        (b"[providers.a]\nadmin = 'hunter2'", "must be a reference", ""),
        (b"[rules]\nonly = 1", "rules.only: is of type bool", ""),
        (b"[scan", "is not TOML", ""),
        (b"\xff", "not UTF-8", ""),
    ],
)
def test_config_wrong_key_or_value_is_an_error_that_names_its_place(text, message, hint):
    with pytest.raises(ConfigError, match=message) as caught:
        parse_config(text, Path(".hygiene.toml"))
    assert hint in caught.value.hint
    assert caught.value.exit_code == ExitCode.CONFIG


def test_config_pyproject_table_is_read():
    config = parse_config(b"[project]\nname='x'\n[tool.hygiene.scan]\nexclude=['a']", Path("pyproject.toml"))
    assert config.exclude == ("a",)


def test_find_config_nearest_wins_and_stops_at_the_root(tmp_path, monkeypatch):
    monkeypatch.delenv("HYGIENE_CONFIG", raising=False)
    root = tmp_path / "root"
    deep = root / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / ".hygiene.toml").write_text("")
    assert find_config(deep, root) is None
    (root / "pyproject.toml").write_text("[tool.hygiene.scan]\n")
    assert find_config(deep, root) == root / "pyproject.toml"
    (root / "a" / "pyproject.toml").write_text("[project]\n")
    assert find_config(deep, root) == root / "pyproject.toml"
    (root / "a" / ".hygiene.toml").write_text("")
    assert find_config(deep, root) == root / "a" / ".hygiene.toml"
    monkeypatch.setenv("HYGIENE_CONFIG", "/elsewhere")
    assert find_config(deep, root) == Path("/elsewhere")
