import os
import signal

import pytest

from hygiene.detect import backlog, checksum
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.engine_re import ReEngine
from hygiene.detect.examine import Examiner
from hygiene.detect.findings import Accepted
from hygiene.detect.scan import scan
from tests.unit.detect.sample import PATTERNS, ListSource, check, token

ENGINE = HyperscanEngine(PATTERNS, compile_database(PATTERNS))


def examiner(engine=ENGINE, least="medium"):
    return Examiner(engine, lambda: b"key", least)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(backlog, "_FIRST_ITEMS", 1)
    monkeypatch.setattr(backlog, "_MOST_ITEMS", 3)


@pytest.fixture(autouse=True)
def sample_check(monkeypatch):
    monkeypatch.setitem(checksum.CHECKS, "digit-sum", check)


def run(blobs, **options):
    return scan(ListSource(blobs), examiner(**options.pop("examine", {})), Accepted, **options)


def test_scan_secret_gives_place_and_no_value():
    result = run({"a/b.py": b"# one\nkey = '" + token(1) + b"'\n"})
    (finding,) = result.findings
    assert (finding.rule, finding.path) == ("sample-token", "a/b.py")
    assert (finding.line_start, finding.column_start, finding.line_end, finding.column_end) == (2, 8, 2, 36)
    assert finding.secret.reveal() == token(1)
    assert token(1).decode() not in repr(result)


def test_scan_characters_of_several_bytes_count_as_one_column():
    (finding,) = run({"x": "ключ = ".encode() + token(1)}).findings
    assert finding.column_start == 8


def test_scan_overlapping_rules_give_the_more_specific_one():
    (finding,) = run({"x": b"password=" + token(1)}).findings
    assert finding.rule == "sample-token"


@pytest.mark.parametrize(("digits", "confidence"), [(b"91827364505", "high"), (b"91827364506", "low")])
def test_scan_checksum_decides_the_confidence(digits, confidence):
    (finding,) = run({"x": b"chk-" + digits}, examine={"least": "low"}).findings
    assert finding.confidence == confidence


def test_scan_failed_checksum_is_not_shown_by_default():
    assert run({"x": b"chk-91827364506"}).findings == ()


@pytest.mark.parametrize(
    "value", [b"tkn_" + b"x" * 24, b"tkn_EXAMPLE" + b"q7Zp2" * 3 + b"ab", b"tkn_" + b"0123456789abcdefghijklmn"]
)
def test_scan_placeholder_is_no_finding(value):
    assert run({"x": value}).findings == ()


def test_scan_same_value_elsewhere_has_the_same_fingerprint_and_another_value_another():
    result = run({"a": token(1), "b": b"\n\n" + token(1), "c": token(2)})
    first, second, third = (finding.fingerprint for finding in result.findings)
    assert first == second != third


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_scan_any_number_of_jobs_gives_the_same(small_chunks, jobs):
    blobs = {f"f{number:02}": b"text\n" * number + token(number) for number in range(30)}
    expected = run(blobs, jobs=1)
    assert run(blobs, jobs=jobs) == expected
    assert len(expected.findings) == 30


def test_scan_either_engine_gives_the_same():
    blobs = {f"f{number}": b"password=hunter42x " + token(number) for number in range(5)}
    assert run(blobs, examine={"engine": ReEngine(PATTERNS)}) == run(blobs)


class _Deadly(ListSource):
    """Kills the process that reads one of its items, as a lack of memory would."""

    def __init__(self, blobs, times, marker):
        super().__init__(blobs)
        self._times = times
        self._marker = marker

    def read(self, items):
        for blob in super().read(items):
            if blob.path == "deadly" and len(list(self._marker.iterdir())) < self._times:
                (self._marker / str(os.getpid())).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield blob


def deadly(tmp_path, times):
    blobs = {f"f{number:02}": token(number) for number in range(10)}
    blobs = dict(sorted((blobs | {"deadly": token(99)}).items()))
    return scan(_Deadly(blobs, times, tmp_path), examiner(), Accepted, jobs=2)


def test_scan_worker_killed_once_is_made_good(small_chunks, tmp_path):
    result = deadly(tmp_path, times=1)
    assert len(result.findings) == 11
    assert result.skipped == ()


def test_scan_worker_killed_twice_by_an_item_skips_only_that(small_chunks, tmp_path):
    result = deadly(tmp_path, times=100)
    assert len(result.findings) == 10
    assert [skip.path for skip in result.skipped] == ["deadly"]
    assert result.incomplete


def test_scan_excluded_path_is_listed_as_skipped():
    result = scan(
        ListSource({"third_party/x": token(1), "y": token(2)}), examiner(), Accepted, exclude=("third_party/**",)
    )
    assert [finding.path for finding in result.findings] == ["y"]
    assert [(skip.path, skip.incomplete) for skip in result.skipped] == [("third_party/**", False)]
