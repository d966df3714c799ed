"""A source tree of 50,000 files or more: against ripsecrets, Kingfisher and gitleaks, and against `cat` of every file.

Run: python bench/speed/directory.py REPOSITORY...

What the repositories hold at their HEAD is checked out into one folder, without their git directories, so that each
competitor scans files only. The first run warms the caches, and is not counted.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from race import HYGIENE, best, find, table

FEWEST = 50_000
TIMES = int(os.environ.get("TIMES", "3"))
PROMISES = {"ripsecrets": 1.0, "kingfisher": 3.0}


def check_out(repository, target):
    """Write the files of ``repository``'s HEAD into ``target``."""
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = {**os.environ, "GIT_INDEX_FILE": str(Path(scratch) / "index")}
        command = ["git", f"--git-dir={git_directory(repository)}", f"--work-tree={target}"]
        subprocess.run([*command, "read-tree", "HEAD"], env=place, check=True)
        subprocess.run([*command, "checkout-index", "--all", "--quiet"], env=place, cwd=target, check=True)


def git_directory(repository):
    return repository / ".git" if (repository / ".git").exists() else repository


def peers(folder):
    found = {
        "ripsecrets": [str(folder)],
        "kingfisher": ["scan", "--no-validate", "--no-update-check", str(folder)],
        "gitleaks": ["dir", "--no-banner", str(folder)],
    }
    for name, arguments in found.items():
        if program := find(name):
            yield name, [program, *arguments]
        else:
            print(f"{name} is not there: left out")


def main(repositories):
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        for number, repository in enumerate(repositories):
            check_out(repository, tree / f"{number}-{repository.parent.name}")
        files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
        size = sum(path.stat().st_size for path in files)
        print(f"{len(files):,} files, {size / 1e6:.0f} MB" + (f": fewer than {FEWEST:,}" * (len(files) < FEWEST)))
        rows = {"hygiene": best([HYGIENE, "scan", str(tree)], tree, TIMES)}
        rows["cat"] = best(["sh", "-c", "find . -type f -print0 | xargs -0 cat > /dev/null"], tree, TIMES)
        for name, command in peers(tree):
            rows[name] = best(command, tree, TIMES)
            print(f"{name} done", file=sys.stderr)
        return table(rows, "hygiene", PROMISES)


if __name__ == "__main__":
    sys.exit(main([Path(name).resolve() for name in sys.argv[1:]]))
