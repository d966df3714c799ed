"""The formats that pipelines read: CSV, JUnit, GitLab, GitHub annotations."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from hygiene.finding import Skipped
from hygiene.report.github import annotate, mask_commands
from hygiene.report.registry import reporter
from hygiene.secret import Secret
from tests.fakes.findings import COMMIT, finding, hostile, place, result, value


def written(format, scan):
    stream = io.StringIO()
    reporter(format).report(scan, stream)
    return stream.getvalue()


def test_csv_row_holds_the_place_and_the_first_commit():
    header, row = csv.reader(io.StringIO(written("csv", result(finding(3, provenance=(place(), place("b.py")))))))
    told = dict(zip(header, row, strict=True))
    assert (told["path"], told["line"], told["column"], told["places"]) == ("src/app3.py", "3", "9", "2")
    assert (told["commit"], told["author"]) == (COMMIT, "Ada")


def test_csv_cell_that_a_spreadsheet_would_run_is_quoted():
    text = written("csv", result(finding(1, path='=cmd|"/C calc"!A0', provenance=(place(author="@SUM(1)"),))))
    (_, row) = csv.reader(io.StringIO(text))
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


def test_junit_new_findings_fail_and_an_incomplete_scan_is_an_error():
    scan = result(finding(1), finding(2, status="baselined"), hostile(), skipped=(Skipped("x<y", "unreadable"),))
    root = ElementTree.fromstring(written("junit", scan))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "2", "1")
    assert len(root.findall(".//failure")) == 2
    assert root.find(".//error").text == "x<y: unreadable"
    assert "src/app1.py:1:9 [example-token]" in [case.get("name") for case in root.iter("testcase")]


def test_junit_clean_scan_is_one_passed_test():
    root = ElementTree.fromstring(written("junit", result()))
    assert (root.get("tests"), root.get("failures")) == ("1", "0")
    assert len(root.findall(".//testcase")) == 1


def test_gitlab_report_has_what_the_schema_requires(monkeypatch):
    monkeypatch.setenv("CI_PIPELINE_CREATED_AT", "2026-11-24T10:00:00Z")
    told = json.loads(written("gitlab", result(finding(1, provenance=(place(),)), finding(2), hostile())))
    assert re.fullmatch(r"\d+\.\d+\.\d+", told["version"])
    for part in ("analyzer", "scanner"):
        assert {"id", "name", "version", "vendor"} <= told["scan"][part].keys()
    assert told["scan"]["type"] == "secret_detection"
    assert (told["scan"]["start_time"], told["scan"]["status"]) == ("2026-11-24T10:00:00", "success")
    ids = [entry["id"] for entry in told["vulnerabilities"]]
    assert len(set(ids)) == 3
    for entry in told["vulnerabilities"]:
        assert entry["severity"] in ("Critical", "High", "Medium", "Low")
        assert len(entry["location"]["commit"]["sha"]) == 40
        assert entry["identifiers"][0].keys() == {"type", "name", "value"}


def test_gitlab_incomplete_scan_is_a_failure():
    told = json.loads(written("gitlab", result(skipped=(Skipped("x", "unreadable"),))))
    assert told["scan"]["status"] == "failure"


def test_github_annotation_stands_on_the_line_of_the_finding():
    text = written("github", result(finding(3)))
    assert text.startswith("::error title=high%3A example-token,file=src/app3.py,line=3,endLine=3,col=9,endColumn=49::")
    assert text.count("\n") == 1


def test_github_hostile_names_start_no_command_of_their_own():
    text = written("github", result(hostile()))
    commands = [line for line in text.splitlines() if "::" in line]
    assert len(commands) == len(text.splitlines()) == 1
    properties = commands[0].split("::")[1]
    assert "file=a b/<img src=x onerror=alert(1)>/%3A%3Aerror%3A%3A%250A/é\\n\\x1b[31m\\xff/" in properties


def test_github_annotations_keep_10_a_kind_and_point_to_the_rest():
    findings = [finding(n, severity=severity) for n, severity in enumerate(["critical", "medium", "low"] * 2000)]
    lines = written("github", result(*findings)).splitlines()
    assert [sum(line.startswith(f"::{kind} ") for line in lines) for kind in ("error", "warning", "notice")] == [10] * 3
    assert sum("1991 more findings" in line for line in lines) == 3


@pytest.mark.parametrize("at_most", [0, 1, 3])
def test_github_annotations_keep_the_limit_that_is_asked_for(at_most):
    stream = io.StringIO()
    annotate(result(*(finding(n) for n in range(9))), stream, at_most=at_most)
    assert stream.getvalue().count("\n") == max(at_most, 1)


def test_github_mask_commands_hold_each_line_of_a_value_escaped():
    secret = Secret.from_text("first%line\r\nsecond-line\nshrt\n")
    assert mask_commands(result(finding(1, secret=secret), finding(2))) == [
        "::add-mask::first%25line",
        "::add-mask::second-line",
        f"::add-mask::{value(2)}",
    ]
