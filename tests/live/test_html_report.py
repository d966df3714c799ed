"""The HTML reports in a real browser: they work, run nothing hostile, ask for nothing, and everybody can read them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from hygiene.exposure import STATES, Exposure, Moment
from hygiene.finding import SEVERITIES, Skipped
from hygiene.report import html
from hygiene.report.exposures_html import write_html
from tests.browser import PROGRAM, Browser
from tests.fakes.findings import finding, hostile, place, result

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if PROGRAM is None:
        pytest.skip("no Chromium is installed")
    with Browser(tmp_path_factory.mktemp("profile"), "--window-size=1400,1000") as browser:
        yield browser


def scan_page(path: Path, count: int) -> Path:
    found = [
        finding(
            number,
            severity=SEVERITIES[number % 4],
            status=("new", "baselined")[number % 2],
            provenance=(place(f"src/app{number}.py"), place("other.py")),
        )
        for number in range(count)
    ]
    stream = io.StringIO()
    html.report(result(*found, hostile(), skipped=(Skipped("a<b", "unreadable"),)), stream)
    path.write_text(stream.getvalue())
    return path


def exposure(number: int) -> Exposure:
    def at(days: int) -> Moment:
        return Moment(NOW - timedelta(days=90 - days), "Ada <ada@example.org>", "ab" * 8 + f":{days}")

    state = STATES[number % 5]
    return Exposure(
        f"v1:{number:040x}", state, "example-token", "Example <script>alert(1)</script>", SEVERITIES[number % 4],
        "toke… (40 bytes)", "live" if state == "open" else "unverified", introduced=at(number % 60),
        commits=("f" * 40,), paths=(f"src/<b>{number}.py", "x"), refs=("refs/heads/main",),
        reference="ref+embedded://shop/db", stored=at(61) if state != "open" else None,
        rotated=at(62) if state in ("rotated", "closed") else None, revoked=at(63) if state == "closed" else None,
        reason='"><img src=x onerror=alert(1)>' if state == "accepted" else "", evidence=("ab" * 8 + ":1",),
    )  # fmt: skip


def exposures_page(path: Path) -> Path:
    stream = io.StringIO()
    write_html([exposure(number) for number in range(50)], stream, NOW, log_verifies=False)
    path.write_text(stream.getvalue())
    return path


def shown(browser: Browser) -> int:
    return browser.run("document.querySelectorAll('tbody tr').length")


def search(browser: Browser, words: str) -> None:
    script = "const s = document.getElementById('search'); s.value = {words!r}; s.dispatchEvent(new Event('input'));"
    browser.run("{" + script.replace("{words!r}", repr(words)) + "}")


def test_html_page_filters_and_sorts_10000_findings(browser, tmp_path):
    path = scan_page(tmp_path / "scan.html", 10_000)
    browser.open(path)
    assert browser.run("document.getElementById('count').textContent") == "10,001 of 10,001"
    search(browser, "app77")
    assert browser.run("document.getElementById('count').textContent") == "111 of 10,001"
    search(browser, "")
    browser.run("document.querySelectorAll('th button')[2].click()")
    browser.run(
        "{const s = document.querySelector('select[data-fact=severity]'); s.value = 'critical';"
        "s.dispatchEvent(new Event('change'));}"
    )
    assert browser.run("document.getElementById('count').textContent") == "2,500 of 10,001"
    assert shown(browser) == 100
    browser.run("document.getElementById('more').click()")
    assert shown(browser) == 200


def test_html_search_finds_the_one_row(browser, tmp_path):
    browser.open(scan_page(tmp_path / "scan.html", 50))
    search(browser, "app7.py example")
    assert shown(browser) == 1
    assert "src/app7.py:7" in browser.run("document.querySelector('tbody').textContent")


def test_html_sort_announces_itself_and_turns_round(browser, tmp_path):
    browser.open(scan_page(tmp_path / "scan.html", 20))
    order = []
    for _ in range(2):
        browser.run("document.querySelectorAll('th button')[0].click()")
        order.append(browser.run("[document.querySelector('th').ariaSort, document.querySelector('td').textContent]"))
    assert order == [["ascending", "critical"], ["descending", "low"]]


@pytest.mark.parametrize("make", [lambda path: scan_page(path, 5), exposures_page])
def test_html_hostile_names_run_nothing_and_nothing_is_asked_for(browser, tmp_path, make):
    path = make(tmp_path / "page.html")
    browser.open(path)
    browser.run("new Promise(done => setTimeout(done, 200))")
    assert browser.dialogs() == 0
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]
    assert browser.run("document.querySelectorAll('img, iframe, object, script:not(:last-of-type)').length") == 0


def test_html_policy_stops_a_script_that_slipped_in(browser, tmp_path):
    path = scan_page(tmp_path / "page.html", 5)
    path.write_text(path.read_text().replace("</main>", "<img src=x onerror=alert(1)><script>alert(2)</script></main>"))
    browser.open(path)
    browser.run("new Promise(done => setTimeout(done, 200))")
    assert browser.dialogs() == 0
    assert browser.complaints()


@pytest.mark.parametrize("make", [lambda path: scan_page(path, 30), exposures_page])
@pytest.mark.parametrize("dark", [False, True])
def test_html_page_has_no_serious_accessibility_problem(browser, tmp_path, make, dark):
    browser.emulate(dark=dark)
    browser.open(make(tmp_path / "page.html"))
    browser.run(files("axe_core_python").joinpath("axe.min.js").read_text() + "; 0")
    found = browser.run("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))")
    browser.emulate()
    assert [problem for problem in found if problem[0] in ("serious", "critical")] == []


def test_html_print_shows_every_row_and_no_controls(browser, tmp_path):
    browser.open(scan_page(tmp_path / "page.html", 1200))
    assert shown(browser) == 100
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert shown(browser) == 1201
    browser.emulate(media="print")
    assert browser.run("getComputedStyle(document.querySelector('.filters')).display") == "none"
    browser.emulate()


def test_html_page_without_scripts_shows_every_row(browser, tmp_path):
    path = scan_page(tmp_path / "page.html", 1200)
    browser.scripts(allowed=False)
    browser.open(path)
    browser.scripts(allowed=True)
    assert shown(browser) == 1201
    assert browser.run("getComputedStyle(document.querySelector('.filters')).display") == "none"
    assert browser.run("[...document.querySelectorAll('caption')].map(c => c.textContent)") == [
        "Findings",
        "Findings, continued",
    ]
