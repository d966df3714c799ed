"""The staged hook on 10 and on 1,000 files: against Kingfisher's and against `git diff --cached` alone.

Then ten files in which names of credentials stand on every page, and `hygiene --version` against `python -c pass`.

Run: python bench/speed/startup.py
"""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from race import HERE, HYGIENE, best, find, table

PROMISES = {10: 8.0, 1000: 4.0}
LONGEST_VERSION = 1.6


def repository(folder, files):
    subprocess.run(["git", "init", "-q", folder], check=True)
    draw = random.Random(files)
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *settings, "commit", "-q", "--allow-empty", "-m", "first"], cwd=folder, check=True)
    for number in range(files):
        lines = [f"value_{number}_{line} = {draw.random()}" for line in range(120)]
        (folder / f"file{number}.py").write_text("\n".join(lines))
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)


def of_a_store(folder):
    """Stage ten files of our own that talk of keys and passwords, and hold none."""
    repository(folder, 0)
    for number, path in enumerate(sorted((HERE / "hygiene/store").rglob("*.py"))[:10]):
        (folder / f"{number}.py").write_bytes(path.read_bytes())
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)


def version():
    """Compare `hygiene --version` with the start of its Python."""
    python = Path(HYGIENE).with_name("python")
    rows = {name: best(command, HERE, 15) for name, command in (
        ("hygiene --version", [HYGIENE, "--version"]), ("python -c pass", [str(python), "-c", "pass"])
    )}  # fmt: skip
    ratios = [ours / theirs for ours, theirs in zip(*rows.values(), strict=True)][:2]
    kept = min(ratios) <= LONGEST_VERSION
    print(f"\nhygiene --version takes {ratios[0]:.2f} times python -c pass in wall time, {ratios[1]:.2f} in processor")
    print(f"time; promised {LONGEST_VERSION}: {'kept' if kept else 'MISSED'}")
    return 0 if kept else 1


def main():
    code = version()
    for files, promise in (*PROMISES.items(), (0, 8.0)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (repository(folder, files) if files else of_a_store(folder))
            rows = {
                "hygiene": best([HYGIENE, "hook", "pre-commit"], folder, 9),
                "git diff --cached": best(["git", "diff", "--cached"], folder, 9),
            }
            if kingfisher := find("kingfisher"):
                os.environ["GIT_AUTHOR_NAME"] = os.environ["GIT_COMMITTER_NAME"] = "a"
                os.environ["GIT_AUTHOR_EMAIL"] = os.environ["GIT_COMMITTER_EMAIL"] = "a@example.org"
                rows["kingfisher"] = best(
                    [kingfisher, "scan", "--staged", ".", "--no-validate", "--no-update-check"], folder, 5
                )
            else:
                print("kingfisher is not there: left out")
            print(f"\n{files} staged files" if files else "\nten staged files of a password store's source")
            code |= table(rows, "hygiene", {"kingfisher": promise})
    return code


if __name__ == "__main__":
    sys.exit(main())
