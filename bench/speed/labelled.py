"""A folder of labelled code: the scan with its classifier, against CredSweeper with its model, one process each.

Run: python bench/speed/labelled.py DATASET. DATASET is a folder in CredData's layout (docs/model-card.md).
CredSweeper is taken from the variable CREDSWEEPER or from PATH. It takes minutes: each runs once, ours after a warm-up.
"""

import argparse
import sys
from pathlib import Path

from race import HYGIENE, find, run, table

PROMISE = 20.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    data = parser.parse_args().dataset / "data"
    megabytes = sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) / 1e6
    print(f"{megabytes:.0f} MB")
    ours = [HYGIENE, "scan", str(data), "--no-baseline", "--jobs", "1", "--format", "jsonl"]
    run(ours, data)
    rows = {"hygiene": run(ours, data)}
    if theirs := find("credsweeper"):
        rows["credsweeper"] = run([theirs, "--path", str(data), "--jobs", "1", "--no-stdout"], data)
    else:
        print("credsweeper is not there: left out")
    return table(rows, "hygiene", {"credsweeper": PROMISE})


if __name__ == "__main__":
    sys.exit(main())
