"""A history that was scanned before: with nothing new, and after one new commit, against the first scan of it.

Run: python bench/speed/increment.py REPOSITORY...

The repository is copied. The new commit changes one file and adds another, both clean, at the tip of its branch.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from race import HYGIENE, best, run

NOTHING_NEW, ONE_COMMIT, SHARE = 0.25, 0.5, 50
TIMES = 7


def git(folder, *arguments, stdin=b"", **environment):
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, capture_output=True, check=True, env={**os.environ, **environment}
    )
    return done.stdout.decode().strip()


def new_commit(folder, scratch, number):
    """Put a commit on top of the branch that HEAD names, without a working tree."""
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
    git(folder, "read-tree", "HEAD", **index)
    changed = next(line for line in git(folder, "ls-files", **index).splitlines() if line.endswith((".md", ".rst")))
    for path, text in ((changed, b"text %d\n" % number), (f"new{number}.txt", b"line %d\n" % number * 100)):
        name = git(folder, "hash-object", "-w", "--stdin", stdin=text)
        git(folder, "update-index", "--add", "--cacheinfo", f"100644,{name},{path}", **index)
    tree = git(folder, "write-tree", **index)
    commit = git(folder, *settings, "commit-tree", tree, "-p", "HEAD", "-m", f"change {number}")
    git(folder, "update-ref", "HEAD", commit)


def told(name, measures, first, limit, share=0):
    """Print a row; give whether its promise is missed."""
    wall, processor, megabytes = measures
    missed = limit and (wall > limit or wall * share > first[0])
    word = "" if not limit else f"{limit:g} s{f' and 1/{share}' if share else ''}: {'MISSED' if missed else 'kept'}"
    print(f"{name:24} {wall:9.3f} {processor:9.3f} {megabytes:6.0f} {first[0] / wall:9.1f} {word}")
    return bool(missed)


def main(folders):
    missed = False
    for original in folders:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "repository"
            subprocess.run(["git", "clone", "-q", "--mirror", str(original), str(folder)], check=True)
            ours = [HYGIENE, "scan", "--history", str(folder)]
            run([HYGIENE, "scan", "--stdin"], folder, stdin=subprocess.DEVNULL)  # compiles the rules, once
            print(f"\n{original}\n{'':24} {'wall s':>9} {'cpu s':>9} {'MB':>6} {'of first':>9} promised")
            first = run(ours, folder)
            told("first scan", first, first, 0)
            missed |= told("nothing new", best(ours, folder, TIMES), first, NOTHING_NEW)
            rows = []
            for number in range(TIMES):
                new_commit(folder, scratch, number)
                rows.append(run(ours, folder))
            missed |= told("one new commit", tuple(map(min, *rows)), first, ONE_COMMIT, SHARE)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main([Path(name).resolve() for name in sys.argv[1:]]))
