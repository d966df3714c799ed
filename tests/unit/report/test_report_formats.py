"""What every format promises: stable bytes, no value, no crash on hostile names."""

from __future__ import annotations

import base64
import io
import random

import pytest

from hygiene.errors import UsageError
from hygiene.finding import ScanResult, Skipped
from hygiene.report.registry import FORMATS, REVEALING, reporter
from tests.fakes.findings import finding, hostile, place, result, value


def written(format: str, scan: ScanResult, *, show_secrets: bool = False) -> str:
    stream = io.StringIO()
    reporter(format).report(scan, stream, show_secrets=show_secrets)
    stream.getvalue().encode()  # nothing that a file or terminal could not take
    return stream.getvalue()


def some() -> ScanResult:
    many = [finding(n, provenance=(place(f"src/app{n}.py"),)) for n in range(1, 9)]
    return result(
        *many,
        hostile(),
        finding(20, status="baselined"),
        finding(21, status="allowlisted"),
        skipped=(Skipped(f"big/{value(1)}", "larger than the limit"), Skipped("vendor/x", "excluded", False)),
    )


@pytest.mark.parametrize("format", FORMATS)
def test_reporter_shows_no_value_in_any_form(format):
    text = written(format, some())
    for number in (*range(1, 9), 20, 21, 666):
        for form in (value(number), base64.b64encode(value(number).encode()).decode()[:20]):
            assert form not in text


@pytest.mark.parametrize("format", FORMATS)
def test_reporter_given_another_order_writes_the_same_bytes(format):
    scan = some()
    shuffled = list(scan.findings)
    random.Random(7).shuffle(shuffled)
    other = scan._replace(findings=tuple(shuffled), skipped=tuple(reversed(scan.skipped)))
    assert written(format, scan) == written(format, other)


@pytest.mark.parametrize("format", FORMATS)
def test_reporter_of_nothing_writes_a_whole_document(format):
    text = written(format, result())
    assert text.endswith("\n") or format in ("jsonl", "github")


@pytest.mark.parametrize("format", FORMATS)
def test_reporter_shows_secrets_only_where_that_was_asked_and_can_be(format):
    text = written(format, result(finding(1)), show_secrets=True)
    assert (value(1) in text) == (format in REVEALING)


@pytest.mark.parametrize("format", FORMATS)
def test_reporter_leaves_no_control_character_of_a_hostile_name(format):
    text = written(format, some())
    assert not {c for c in text if ord(c) < 32} - {"\n", "\r"}
    assert "\u202e" not in text
    assert not any(0xD800 <= ord(c) < 0xE000 for c in text)


def test_reporter_unknown_format_is_a_usage_error():
    with pytest.raises(UsageError) as caught:
        reporter("xml")
    assert "sarif" in caught.value.hint
