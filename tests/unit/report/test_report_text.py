from __future__ import annotations

import io

from hygiene.finding import ScanStats, Skipped
from hygiene.report import text as text_report
from hygiene.report.text import summary_line, wants_colour
from tests.fakes.findings import COMMIT, finding, place, result


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(scan, stream=None):
    stream = stream or io.StringIO()
    text_report.report(scan, stream)
    return stream.getvalue()


def test_text_finding_names_place_kind_value_and_commit():
    text = written(result(finding(3, provenance=(place(), place("other.py"), place("third.py")))))
    first, second, third, last = text.splitlines()
    assert first == "src/app3.py:3:9: high: Example token [example-token]"
    assert "toke… (40 bytes)" in second
    assert COMMIT[:12] in third
    assert "Ada <ada@example.org>, 2026-01-02" in third
    assert "2 more places" in third
    assert last == "1 new finding in 12 blobs, 3.5 kB, 7 commits"


def test_text_known_findings_are_counted_and_not_shown():
    text = written(result(finding(1, status="baselined"), finding(2, status="allowlisted")))
    assert text == "0 new findings (1 baselined, 1 allowlisted) in 12 blobs, 3.5 kB, 7 commits\n"


def test_text_skipped_is_listed_with_its_reason_incomplete_first():
    skipped = (Skipped("a", "excluded", False), *(Skipped(f"s{n:02}", "unreadable") for n in range(25)))
    lines = written(result(skipped=skipped)).splitlines()
    assert lines[0] == "skipped s00: unreadable"
    assert lines[20] == "skipped 6 more, which --format json lists"
    assert lines[-1].endswith("26 skipped; the scan is INCOMPLETE")


def test_text_colour_only_on_a_terminal_that_wants_it(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[31mhigh\x1b[0m" in written(result(finding(1)), _Terminal())
    assert "\x1b" not in written(result(finding(1)))
    assert not wants_colour(_Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(_Terminal(), {"TERM": "dumb"})


def test_summary_line_speaks_of_one_and_of_many():
    assert summary_line(result(stats=ScanStats(1, 999, 1))) == "0 new findings in 1 blob, 999 B, 1 commit"
    assert "1,234,567 blobs, 5.3 GB" in summary_line(result(stats=ScanStats(1_234_567, 5_300_000_000, 0)))
