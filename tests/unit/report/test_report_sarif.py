"""SARIF against its official schema, and within GitHub's limits."""

from __future__ import annotations

import functools
import gzip
import io
import json

import jsonschema
import pytest

from hygiene.finding import Skipped
from hygiene.report import sarif
from tests.fakes.findings import finding, hostile, place, result
from tests.fakes.schemas import SARIF, schema


@functools.cache
def validator():
    return jsonschema.Draft7Validator(schema(SARIF), format_checker=jsonschema.FormatChecker())


def document(scan):
    stream = io.StringIO()
    sarif.report(scan, stream)
    return json.loads(stream.getvalue())


def valid(scan):
    log = document(scan)
    assert [error.message for error in validator().iter_errors(log)] == []
    return log["runs"][0]


@pytest.mark.parametrize(
    "scan",
    [
        result(),
        result(finding(1), finding(2, provenance=(place("src/app2.py"), place("b/c.py")))),
        result(hostile(), skipped=(Skipped("x\udcff", "unreadable"), Skipped("y", "excluded", False))),
        result(finding(1, path="", line_start=0, line_end=0, column_start=0, column_end=0)),
        result(finding(1, line_start=5, line_end=9, column_start=40, column_end=2)),
        result(finding(1, tags=tuple(f"tag{n}" for n in range(50)))),
    ],
)
def test_sarif_passes_the_official_schema(scan):
    valid(scan)


def test_sarif_result_holds_place_and_fingerprint_and_no_snippet():
    run = valid(result(finding(3, provenance=(place("src/app3.py"), place("other.py")))))
    (entry,) = run["results"]
    place_ = entry["locations"][0]["physicalLocation"]
    assert place_["artifactLocation"] == {"uri": "src/app3.py", "uriBaseId": "%SRCROOT%"}
    assert place_["region"] == {"startLine": 3, "startColumn": 9, "endLine": 3, "endColumn": 49}
    assert entry["partialFingerprints"] == {"hygieneFingerprint/v1": f"hyg1:{3:032x}"}
    assert entry["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "other.py"
    assert "snippet" not in json.dumps(run)
    assert run["tool"]["driver"]["rules"][entry["ruleIndex"]]["id"] == entry["ruleId"]


def test_sarif_fingerprint_stays_when_the_line_moves():
    before = valid(result(finding(3)))["results"][0]
    after = valid(result(finding(3, line_start=103, line_end=103, path="renamed.py")))["results"][0]
    assert before["partialFingerprints"] == after["partialFingerprints"]


def test_sarif_known_findings_raise_no_alert():
    assert valid(result(finding(1, status="baselined"), finding(2, status="allowlisted")))["results"] == []


def test_sarif_path_is_quoted_by_its_bytes():
    run = valid(result(finding(1, path="a b/é/\udcff#?%:x")))
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/%C3%A9/%FF%23%3F%25%3Ax"


def test_sarif_incomplete_scan_is_an_unsuccessful_run():
    run = valid(result(skipped=(Skipped("x", "unreadable"),)))
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "not scanned: x: unreadable" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_sarif_of_30000_findings_keeps_githubs_limits_and_the_gravest():
    lesser = [finding(n, severity="low") for n in range(1, 30_000)]
    grave = finding(40_000, severity="critical", path="zzz")
    stream = io.StringIO()
    sarif.report(result(*lesser, grave), stream)
    run = json.loads(stream.getvalue())["runs"][0]
    assert len(run["results"]) == 25_000
    assert run["results"][0]["partialFingerprints"]["hygieneFingerprint/v1"] == grave.fingerprint
    assert "5000 lesser findings" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert len(gzip.compress(stream.getvalue().encode())) < sarif.GZIP_BYTES_AT_MOST


def test_sarif_of_long_random_paths_is_cut_to_githubs_size(monkeypatch):
    monkeypatch.setattr(sarif, "GZIP_BYTES_AT_MOST", 300_000)
    stream = io.StringIO()
    sarif.report(result(*(finding(n) for n in range(12_000))), stream)
    assert len(gzip.compress(stream.getvalue().encode())) < 300_000


def test_sarif_rule_has_at_most_20_tags_and_many_places_at_most_100():
    places = tuple(place(f"copy{n}.py") for n in range(500))
    run = valid(result(finding(1, tags=tuple(f"t{n}" for n in range(60)), provenance=places)))
    assert len(run["tool"]["driver"]["rules"][0]["properties"]["tags"]) == 20
    assert len(run["results"][0]["locations"]) + len(run["results"][0]["relatedLocations"]) <= 100
