import os

import pytest

from hygiene.detect.registry import content_key, load_engine
from hygiene.detect.rulecache import CompiledRules, cache_key, read_compiled, rule_states, write_compiled
from hygiene.detect.rulefolders import RuleChoice
from tests.unit.detect.sample import PATTERNS

RULES = CompiledRules(PATTERNS, "digest", b"database")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "cache"
    write_compiled(folder, "key", RULES)
    return folder


def only_file(folder):
    (path,) = folder.iterdir()
    return path


def test_rulecache_written_rules_come_back(folder):
    assert read_compiled(folder, "key") == RULES


def test_rulecache_other_key_gives_nothing(folder):
    assert read_compiled(folder, "other") is None


@pytest.mark.parametrize("at", [0, 10, 30, -1])
def test_rulecache_flipped_byte_gives_nothing(folder, at):
    content = bytearray(only_file(folder).read_bytes())
    content[at] ^= 1
    only_file(folder).write_bytes(content)
    assert read_compiled(folder, "key") is None


def test_rulecache_cut_file_gives_nothing(folder):
    only_file(folder).write_bytes(only_file(folder).read_bytes()[:25])
    assert read_compiled(folder, "key") is None


def test_rulecache_that_others_may_write_is_refused(folder):
    only_file(folder).chmod(0o666)
    assert read_compiled(folder, "key") is None


def test_rulecache_in_a_folder_that_others_may_write_is_refused(folder):
    folder.chmod(0o777)
    assert read_compiled(folder, "key") is None


def test_rulecache_link_to_a_good_file_is_refused(folder, tmp_path):
    path = only_file(folder)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert read_compiled(folder, "key") is None


def test_write_compiled_where_nothing_can_be_written_is_silent(tmp_path):
    (tmp_path / "file").write_text("")
    write_compiled(tmp_path / "file" / "cache", "key", RULES)


def test_write_compiled_many_rule_sets_keeps_the_newest(folder):
    for number in range(30):
        write_compiled(folder, f"key {number}", RULES)
    assert read_compiled(folder, "key 29") == RULES
    assert len(list(folder.iterdir())) <= 17


def test_cache_key_changed_rule_file_changes_it(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text("one")
    before = cache_key(rule_states([path]), (), "engine")
    path.write_text("two")
    assert cache_key(rule_states([path]), (), "engine") != before


def test_cache_key_engine_and_settings_change_it(tmp_path):
    keys = {cache_key([], settings, engine) for settings in ((), ("x",)) for engine in ("a", "b")}
    assert len(keys) == 4


def rule_folder(folder, pattern="zzq[0-9]{9}"):
    folder.mkdir()
    (folder / "own.toml").write_text(
        '[provider]\nid = "own"\nname = "Own"\n'
        '[[rules]]\nid = "own-key"\ndescription = "a key of our own"\nseverity = "high"\nconfidence = "high"\n'
        f"pattern = '({pattern})'\nkeywords = [\"zzq\"]\n"
    )
    return RuleChoice((folder,), only=True)


def test_content_key_copy_of_the_rules_is_the_same_and_a_change_is_not(tmp_path):
    one, copy = rule_folder(tmp_path / "one"), rule_folder(tmp_path / "copy")
    os.utime(tmp_path / "copy" / "own.toml", (1, 1))
    assert content_key(one) == content_key(copy)
    assert content_key(one) != content_key(rule_folder(tmp_path / "other", "zzq[0-9]{8}"))
    assert content_key(one) != content_key(one._replace(disable=("own-key",)))


def test_load_engine_by_content_a_copy_of_the_rules_compiles_nothing(tmp_path, monkeypatch):
    one, copy = rule_folder(tmp_path / "one"), rule_folder(tmp_path / "copy")
    kept = load_engine(one, tmp_path / "cache").used.path
    assert load_engine(copy, tmp_path / "cache").used.path != kept
    monkeypatch.setenv("HYGIENE_CACHE_KEY", "content")
    kept = load_engine(one, tmp_path / "cache").used.path
    before = kept.stat().st_mtime_ns
    assert load_engine(copy, tmp_path / "cache").used.path == kept
    assert kept.stat().st_mtime_ns == before
