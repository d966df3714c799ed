#!/usr/bin/env python3
"""Migrate a generated repository into the embedded store, and say how long each part takes.

usage: bench/migrating.py [--secrets 1000] [--places 10000]

The same run scans the repository alone, and copies its files with a sync each: what part of the time is the scan's, and
what the disk's.
"""

import argparse
import os
import pathlib
import random
import string
import subprocess
import sys
import tempfile
import time

RULE = """
[provider]
id = "bench"
name = "Bench"
docs = "https://example.org"
[[rules]]
id = "bench-token"
description = "A token of this benchmark"
severity = "high"
confidence = "high"
keywords = ["zq_"]
pattern = '''(zq_[a-z0-9]{28})'''
positive = []
negative = []
"""


def make_repository(root, secrets, places):
    """Write Python, JavaScript, shell and YAML files with ``places`` places of ``secrets`` values; gives the files."""
    chance = random.Random(1)
    values = ["zq_" + "".join(chance.choices(string.ascii_lowercase + string.digits, k=28)) for _ in range(secrets)]
    forms = (
        ("py", 'import sys\n\ntoken_{n} = "{v}"\n'),
        ("js", "const token{n} = '{v}';\n"),
        ("sh", "TOKEN_{n}='{v}'\n"),
        ("yml", "token_{n}: {v}\n"),
    )
    per_file = 5
    files = []
    for number in range(places // per_file):
        ending, form = forms[number % len(forms)]
        chosen = [values[(number * per_file + index) % secrets] for index in range(per_file)]
        path = root / f"part{number % 50}" / f"file{number}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(form.format(n=index, v=value) for index, value in enumerate(chosen)))
        files.append(path)
    (root / "rules").mkdir()
    (root / "rules/bench.toml").write_text(RULE)
    (root / ".hygiene.toml").write_text('[rules]\nfolders = ["rules"]\nonly = true\n')
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=root, check=True)
    subprocess.run([*git, "add", "."], cwd=root, check=True)
    subprocess.run([*git, "commit", "-qm", "Begin"], cwd=root, check=True)
    return files


def synced_copies(files):
    """Write each file anew as the migration does: a new file, synced, renamed, the folder synced."""
    start = time.perf_counter()
    for path in files:
        other = path.with_name(".copy")
        with other.open("wb") as stream:
            stream.write(path.read_bytes())
            stream.flush()
            os.fsync(stream.fileno())
        other.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    return time.perf_counter() - start


def timed(root, environment, *arguments):
    """Run hygiene, and give the seconds and the exit code."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "hygiene", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True)
    return time.perf_counter() - start, done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--secrets", type=int, default=1000)
    parser.add_argument("--places", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "shop")
        root.mkdir()
        files = make_repository(root, options.secrets, options.places)
        environment = os.environ | {"HYGIENE_HOME": f"{folder}/home", "HYGIENE_CACHE": f"{folder}/cache"}
        timed(root, environment, "scan")
        scan, _ = timed(root, environment, "scan")
        plan, _ = timed(root, environment, "migrate", "--json")
        apply, done = timed(root, environment, "migrate", "--apply")
        copies = synced_copies(files)
        clean, after = timed(root, environment, "scan")
        print(f"{options.secrets} secrets, {options.places} places, {len(files)} files")
        print(f"scan {scan:.1f} s, plan {plan:.1f} s, apply {apply:.1f} s scan after {clean:.1f} s")
        print(
            f"synced copies of the same files {copies:.1f} s; apply / (scan + copies) = {apply / (scan + copies):.1f}"
        )
        print(done.stderr.decode()[-300:])
        return 0 if done.returncode == 0 and after.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
