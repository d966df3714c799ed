import pytest

from hygiene.detect.rulecache import CompiledRules, cache_key, read_compiled, rule_states, write_compiled
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
