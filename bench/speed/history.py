"""A full history: against Kingfisher, gitleaks, betterleaks, and the floor, `git cat-file` over the same blobs.

Also: two processes against one, and all commits against the older half of them, both read from fresh copies.

Run: python bench/speed/history.py REPOSITORY...
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from race import HYGIENE, find, run, table

JOBS = os.cpu_count() or 1
MOST_MEGABYTES = 300  # of any process
LEAST_OF_TWO = 1.8  # times as fast as one process
MOST_OF_DOUBLE = 2.1  # times as long as half of the commits
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


def warmed(command, scratch):
    """Let a peer make what it keeps between runs (Kingfisher: its compiled rules), on a repository without a commit."""
    empty = Path(scratch) / "empty"
    git(scratch, "init", "--quiet", str(empty))
    run([*command[:-1], str(empty)], empty)


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split()


def copies(folder, scratch):
    """Copy what HEAD reaches, and the older half of its first parents; each is packed anew, alike."""
    commits = git(folder, "rev-list", "--first-parent", "HEAD")
    for name, tip in (("half", commits[len(commits) // 2]), ("whole", commits[0])):
        copy = Path(scratch) / name
        git(scratch, "init", "--quiet", "--bare", str(copy))
        git(copy, "fetch", "--quiet", str(folder), f"{tip}:refs/heads/main")
        git(copy, "repack", "-adfq")
        yield copy, sum(int(size) for size in git(copy, *SIZES))


SIZES = ("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectsize)")


def told(what, value, limit, kept):
    print(f"{what}: {value:.2f} ({limit}: {'kept' if kept else 'MISSED'})")
    return int(not kept)


def scaling(folder, scratch, rows):
    """Compare one process with two, and the whole with its half; 1 where a promise is missed."""
    megabytes = rows["hygiene"][2]
    code = told("MB of the largest process", megabytes, f"at most {MOST_MEGABYTES}", megabytes <= MOST_MEGABYTES)
    one, two = (run(scan(folder, jobs), folder) for jobs in (1, 2))
    code |= told(
        "two processes, times one", one[0] / two[0], f"at least {LEAST_OF_TWO}", one[0] >= LEAST_OF_TWO * two[0]
    )
    (half, half_size), (whole, size) = copies(folder, scratch)
    growth = run(scan(whole, 1), whole)[1] / run(scan(half, 1), half)[1]
    allowed = MOST_OF_DOUBLE * size / half_size / 2
    return code | told(
        f"{size / half_size:.2f} times the bytes, times as long", growth, f"at most {allowed:.2f}", growth <= allowed
    )


def scan(folder, jobs):
    return [HYGIENE, "scan", "--history", "--no-cache", "--jobs", str(jobs), str(folder)]


def main(folders):
    code = 0
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            run([HYGIENE, "scan", "--stdin"], folder, stdin=subprocess.DEVNULL)  # compiles the rules, once
            rows = {"hygiene": run(scan(folder, JOBS), folder), "floor": run(floor_command(folder, scratch), folder)}
            for name, command in peers(folder):
                warmed(command, scratch)
                rows[name] = run(command, folder)
            print(f"\n{folder}")
            code |= table(rows, "hygiene", PROMISES)
            code |= scaling(folder, scratch, rows)
    return code


if __name__ == "__main__":
    sys.exit(main([Path(name).resolve() for name in sys.argv[1:]]))
