from __future__ import annotations

import io
import json
import os

from hygiene.finding import Skipped
from hygiene.report import json as json_report
from hygiene.report import jsonl as jsonl_report
from tests.fakes.findings import COMMIT, finding, place, result, value

FIELDS = [
    *("rule", "description", "severity", "confidence", "path", "line_start", "line_end", "column_start", "column_end"),
    *("secret", "fingerprint", "status", "provenance", "verification", "entropy", "tags", "reasons"),
]


def document(scan):
    stream = io.StringIO()
    json_report.report(scan, stream)
    return json.loads(stream.getvalue())


def test_json_finding_has_the_promised_fields_and_no_others():
    (entry,) = document(result(finding(3, provenance=(place(),))))["findings"]
    assert list(entry) == FIELDS
    assert entry["secret"] == f"{value(3)[:4]}… (40 bytes)"
    promised = ["kind", "path", "commit", "author", "email", "date", "message_subject", "last_commit", "refs"]
    assert list(entry["provenance"][0]) == promised
    assert entry["provenance"][0]["commit"] == COMMIT
    assert (entry["line_start"], entry["column_start"], entry["entropy"]) == (3, 9, 3.988)


def test_json_finding_says_how_its_confidence_came_about():
    told = ("checksum github-crc32 holds", f"allowed beside it: {value(3)}")
    (entry,) = document(result(finding(3, reasons=told)))["findings"]
    assert entry["reasons"][0] == told[0]
    assert value(3) not in entry["reasons"][1]


def test_json_document_counts_and_tells_what_was_skipped():
    told = document(result(finding(1), finding(2, status="baselined"), skipped=(Skipped("x", "unreadable"),)))
    assert list(told) == ["tool", "summary", "findings", "skipped"]
    assert told["skipped"] == [{"path": "x", "reason": "unreadable", "incomplete": True}]
    summary = told["summary"]
    assert (summary["new"], summary["baselined"], summary["complete"], summary["blobs"]) == (1, 1, False, 12)
    assert summary["by_severity"] == {"critical": 0, "high": 1, "medium": 0, "low": 0}


def test_json_path_that_is_not_utf8_comes_back_as_its_bytes():
    (entry,) = document(result(finding(1, path=os.fsdecode(b"caf\xe9/\xff"))))["findings"]
    assert os.fsencode(entry["path"]) == b"caf\xe9/\xff"


def test_jsonl_has_one_finding_a_line():
    stream = io.StringIO()
    jsonl_report.report(result(finding(2), finding(1, description="two\nlines")), stream)
    entries = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [entry["path"] for entry in entries] == ["src/app1.py", "src/app2.py"]
    assert list(entries[0]) == FIELDS
