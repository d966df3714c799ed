"""How long a reader of the HTML report with 10,000 findings waits: to open it, and for each action, in Chromium.

Beside what the clock says stands the processor time of the browser's processes, which other work does not stretch.
Run: python -m bench.speed.page
"""

import os
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


def processor_time(root):
    """Sum, in seconds, the processor time of the process ``root`` and all below it (Linux)."""
    times, parents = {}, {}
    for folder in Path("/proc").glob("[1-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(folder.name)], times[int(folder.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    below = {root}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(times[one] for one in below) / os.sysconf("SC_CLK_TCK")


class Waits:
    """Seconds by the clock and of processor time, for each action."""

    def __init__(self, browser):
        self._browser = browser
        self.measured = {}

    def measure(self, name, do):
        start, used = time.perf_counter(), processor_time(self._browser.process)
        do()
        # Two frames later, what the action dirtied is laid out and painted.
        self._browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        spent = time.perf_counter() - start, processor_time(self._browser.process) - used
        self.measured.setdefault(name, []).append(spent)


def main():
    with tempfile.TemporaryDirectory() as name:
        path = scan_page(Path(name) / "scan.html", FINDINGS)
        with Browser(Path(name) / "profile", "--window-size=1400,1000") as browser:
            waits = Waits(browser)
            for _ in range(TIMES):
                waits.measure("open", lambda: browser.open(path))
                for action, script in ACTIONS.items():
                    waits.measure(action, lambda script=script: browser.run("{" + script + "}"))
            size = path.stat().st_size
    print(f"{FINDINGS:,} findings, {size / 1e6:.1f} MB")
    for action, measured in waits.measured.items():
        clock, processor = (sorted(column) for column in zip(*measured, strict=True))
        print(
            f"{action:16} median {statistics.median(clock) * 1000:6.0f} ms   worst {clock[-1] * 1000:6.0f} ms"
            f"   processor {statistics.median(processor) * 1000:6.0f} ms"
        )


if __name__ == "__main__":
    main()
