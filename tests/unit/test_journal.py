import json

import pytest

from hygiene.errors import JournalError
from hygiene.journal import Journal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal" / "job.jsonl"


def test_journal_reopened_tells_what_was_recorded(path):
    journal = Journal.create(path, "migrate", plan="abc")
    journal.record("stored", name="a")
    journal.record("edited", name="a")
    again = Journal.open(path, "migrate")
    assert again.facts["plan"] == "abc"
    assert [entry["event"] for entry in again.entries()] == ["begin", "stored", "edited"]
    assert [entry["name"] for entry in again.entries("stored")] == ["a"]


def test_journal_second_job_is_refused_while_one_is_unfinished(path):
    journal = Journal.create(path, "migrate")
    with pytest.raises(JournalError, match="unfinished"):
        Journal.create(path, "migrate")
    journal.finish()
    assert Journal.create(path, "migrate").facts["job"] == "migrate"


@pytest.mark.parametrize("kept", range(1, 40))
def test_journal_torn_last_line_is_cut_off(path, kept):
    Journal.create(path, "migrate").record("stored", name="a" * 40)
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    path.write_bytes(whole[: second + kept])
    again = Journal.open(path, "migrate")
    assert [entry["event"] for entry in again.entries()] == ["begin"]
    again.record("stored", name="b")
    assert [entry["event"] for entry in Journal.open(path, "migrate").entries()] == ["begin", "stored"]


def test_journal_torn_first_line_is_no_job(path):
    Journal.create(path, "migrate")
    path.write_bytes(path.read_bytes()[:5])
    assert Journal.open(path, "migrate") is None
    Journal.create(path, "migrate")


@pytest.mark.parametrize(
    "damage",
    [
        b"not json\n",
        b"[]\n",
        json.dumps({"event": "begin", "job": "rotate", "format": 1}).encode() + b"\n",
        json.dumps({"event": "begin", "job": "migrate", "format": 99}).encode() + b"\n",
    ],
)
def test_journal_that_is_not_ours_is_refused(path, damage):
    path.parent.mkdir()
    path.write_bytes(damage)
    with pytest.raises(JournalError):
        Journal.open(path, "migrate")


def test_journal_absent_is_none(path):
    assert Journal.open(path, "migrate") is None
