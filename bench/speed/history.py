"""A full history: against Kingfisher, gitleaks, betterleaks, and the floor, `git cat-file` over the same blobs.

Run: python bench/speed/history.py REPOSITORY...
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from race import HYGIENE, find, run, table

JOBS = os.cpu_count() or 1
PROMISES = {"kingfisher": 4.0, "gitleaks": 8.0, "betterleaks": 8.0, "floor": 0.5}


def floor_command(folder, scratch):
    """Give what reads all blobs to nowhere, in as many processes as we use."""
    listing = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objecttype)"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    blobs = [line.split()[0] for line in listing if line.endswith(" blob")]
    share = -(-len(blobs) // JOBS)
    parts = []
    for number in range(JOBS):
        part = Path(scratch) / f"part{number}"
        part.write_text("".join(f"{name}\n" for name in blobs[number * share : (number + 1) * share]))
        parts.append(f"git cat-file --batch --buffer < {part} > /dev/null &")
    return ["sh", "-c", "\n".join((*parts, "wait"))]


def peers(folder):
    found = {
        "kingfisher": ["scan", "--no-validate", "--no-update-check", str(folder)],
        "gitleaks": ["git", "--no-banner", str(folder)],
        "betterleaks": ["git", "--no-banner", str(folder)],
    }
    for name, arguments in found.items():
        if program := find(name):
            yield name, [program, *arguments]
        else:
            print(f"{name} is not there: left out")


def main(folders):
    code = 0
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            ours = [HYGIENE, "scan", "--history", "--no-cache", "--jobs", str(JOBS), str(folder)]
            run([HYGIENE, "scan", "--stdin"], folder, stdin=subprocess.DEVNULL)  # compiles the rules, once
            rows = {"hygiene": run(ours, folder), "floor": run(floor_command(folder, scratch), folder)}
            for name, command in peers(folder):
                rows[name] = run(command, folder)
        print(f"\n{folder}")
        code |= table(rows, "hygiene", PROMISES)
    return code


if __name__ == "__main__":
    sys.exit(main([Path(name).resolve() for name in sys.argv[1:]]))
