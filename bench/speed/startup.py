"""The staged hook on 10 and on 1,000 files: against Kingfisher's and against `git diff --cached` alone.

Run: python bench/speed/startup.py
"""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from race import HYGIENE, best, find, table

PROMISES = {10: 8.0, 1000: 4.0}


def repository(folder, files):
    subprocess.run(["git", "init", "-q", folder], check=True)
    draw = random.Random(files)
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *settings, "commit", "-q", "--allow-empty", "-m", "first"], cwd=folder, check=True)
    for number in range(files):
        lines = [f"value_{number}_{line} = {draw.random()}" for line in range(120)]
        (folder / f"file{number}.py").write_text("\n".join(lines))
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)


def main():
    code = 0
    for files, promise in PROMISES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            repository(folder, files)
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
            print(f"\n{files} staged files")
            code |= table(rows, "hygiene", {"kingfisher": promise})
    return code


if __name__ == "__main__":
    sys.exit(main())
