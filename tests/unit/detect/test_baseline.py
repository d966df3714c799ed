import json

import pytest

from hygiene.detect.baseline import (
    Baseline,
    Entry,
    format_baseline,
    merged,
    parse_baseline,
    read_baseline,
    write_baseline,
)
from hygiene.errors import ConfigError

KEY = b"k" * 32


def baseline(*entries):
    return Baseline(KEY, {entry.fingerprint: entry for entry in entries})


def entry(name, **facts):
    return Entry(f"v1:{name}", "rule", "path", **facts)


def test_baseline_written_comes_back(tmp_path):
    known = baseline(entry("b", reason="old"), entry("a", decision="false"))
    write_baseline(tmp_path / "x.json", known)
    assert read_baseline(tmp_path / "x.json") == known


def test_format_baseline_is_sorted_and_one_entry_a_line():
    text = format_baseline(baseline(entry("b"), entry("a"))).decode()
    lines = [line for line in text.splitlines() if "v1:" in line]
    assert [json.loads(line.rstrip(","))["fingerprint"] for line in lines] == ["v1:a", "v1:b"]


def test_format_baseline_order_of_entries_does_not_matter():
    assert format_baseline(baseline(entry("b"), entry("a"))) == format_baseline(baseline(entry("a"), entry("b")))


def test_read_baseline_absent_file_is_none(tmp_path):
    assert read_baseline(tmp_path / "none") is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"format": 1, "project": "zz", "findings": []}',
        b"<<<<<<< ours",
        b'{"format": 9, "project": "00", "findings": []}',
        b'{"format": 1, "project": "00", "findings": []}',
        b'{"format": 1, "project": "' + b"00" * 32 + b'", "findings": [{"rule": "x"}]}',
    ],
)
def test_parse_baseline_broken_text_is_a_config_error(text):
    with pytest.raises(ConfigError):
        parse_baseline(text, "x")


def test_merged_two_branches_add_keeps_both():
    start = baseline(entry("a"))
    both = merged(baseline(entry("a"), entry("b")), baseline(entry("a"), entry("c")), start)
    assert sorted(both.entries) == ["v1:a", "v1:b", "v1:c"]


def test_merged_one_branch_removes_stays_removed():
    assert merged(baseline(), baseline(entry("a")), baseline(entry("a"))).entries == {}


def test_merged_one_branch_decides_keeps_the_decision():
    decided = entry("a", decision="false", reason="sample")
    assert merged(baseline(entry("a")), baseline(decided), baseline(entry("a"))).entries == {"v1:a": decided}
    assert merged(baseline(decided), baseline(entry("a")), baseline(entry("a"))).entries == {"v1:a": decided}
