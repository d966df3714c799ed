"""How long a reader of the HTML report with 10,000 findings waits: to open it, and for each action, in Chromium.

Run: python -m bench.speed.page
"""

import statistics
import tempfile
import time
from pathlib import Path

from tests.browser import Browser
from tests.live.test_html_report import scan_page

FINDINGS = 10_000
TIMES = 5
ACTIONS = {
    "search": "const s = document.getElementById('search'); s.value = 'app77'; s.dispatchEvent(new Event('input'));",
    "search cleared": "const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input'));",
    "sort": "document.querySelectorAll('th button')[2].click();",
    "filter": "const s = document.querySelector('select[data-fact=severity]'); s.value = 'critical';"
    "s.dispatchEvent(new Event('change'));",
    "filter cleared": "const s = document.querySelector('select[data-fact=severity]'); s.value = '';"
    "s.dispatchEvent(new Event('change'));",
    "more rows": "document.getElementById('more').click();",
}
# The layout is asked for, so that what the action dirtied is computed within the time.
_TIMED = (
    "(() => {{ const start = performance.now(); {{ {} }} document.body.offsetHeight;"
    "return performance.now() - start; }})()"
)


def main():
    with tempfile.TemporaryDirectory() as name:
        path = scan_page(Path(name) / "scan.html", FINDINGS)
        with Browser(Path(name) / "profile", "--window-size=1400,1000") as browser:
            opened = []
            waits = {action: [] for action in ACTIONS}
            for _ in range(TIMES):
                start = time.perf_counter()
                browser.open(path)
                browser.run("document.getElementById('count').textContent")
                opened.append((time.perf_counter() - start) * 1000)
                for action, script in ACTIONS.items():
                    waits[action].append(browser.run(_TIMED.format(script)))
    print(f"{FINDINGS:,} findings")
    for action, measured in {"open": opened, **waits}.items():
        print(f"{action:16} median {statistics.median(measured):7.1f} ms   worst {max(measured):7.1f} ms")


if __name__ == "__main__":
    main()
