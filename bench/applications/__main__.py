#!/usr/bin/env python3
"""Plant credentials in ten public applications, migrate them, and see whether each still works.

usage: python bench/applications --repositories FOLDER [--only NAME …] [--keep FOLDER] [--seed N]

FOLDER holds clones, as ``FOLDER/NAME`` or ``FOLDER/OWNER+NAME``, bare or not. What is missing (a clone, a tool, a
dependency) is told as skipped, with the reason. For each application: its checks before, ``migrate --apply``, its
checks under ``hygiene run``, the proof that it uses the stored values, a second run, and the rollback.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from catalogue import Application, read_applications
from planting import Credentials, plant

_HYGIENE = (sys.executable, "-m", "hygiene")
_LIMIT = 900  # seconds for one command


class Result(NamedTuple):
    """What became of one application."""

    name: str
    outcome: str  # passed, failed or skipped
    notes: tuple[str, ...]
    places: int = 0
    rewritten: int = 0


class Skipped(Exception):
    """Why an application can't be tried here."""


class Failed(Exception):
    """What did not hold."""


def run(command: str | tuple[str, ...], root: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command in ``root``."""
    shell = isinstance(command, str)
    return subprocess.run(
        command,
        shell=shell,
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_LIMIT,
    )


def hygiene(root: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this project's command line."""
    return run((*_HYGIENE, *arguments), root, environment)


def clone(application: Application, repositories: Path, root: Path) -> None:
    """Clone the application's last commit."""
    owner, _, name = application.repository.partition("/")
    candidates = [repositories / form for form in (name, f"{owner}+{name}", f"{owner}+{name}/repo")]
    origin = next((path for path in candidates if (path / "HEAD").exists() or (path / ".git").exists()), None)
    if origin is None:
        raise Skipped(f"there is no clone of {application.repository}")
    git = ("git", "clone", "-q", "--no-hardlinks", "--depth", "1", f"file://{origin}", str(root))
    done = subprocess.run(git, capture_output=True, text=True)
    if done.returncode:
        raise Skipped(f"{application.repository} can't be cloned: {done.stderr.strip()[-200:]}")


def prepare(application: Application, repositories: Path, root: Path, environment: Mapping[str, str]) -> Credentials:
    """Clone, fetch what it depends on, plant, and commit."""
    missing = [tool for tool in application.tools if shutil.which(tool) is None]
    if missing:
        raise Skipped(f"{', '.join(missing)} is not installed")
    clone(application, repositories, root)
    if application.setup:
        done = run(application.setup, root, environment)
        if done.returncode:
            raise Skipped(f"its dependencies can't be had: {(done.stdout + done.stderr).strip()[-300:]}")
    credentials = Credentials(int(environment["SEED"]))
    problem = plant(root, application.plants, credentials)
    if problem:
        raise Skipped(problem)
    git = "git -c user.name=A -c user.email=a@example.org -c core.hooksPath=/dev/null"
    run(f"git add -A && {git} commit -qm Plant", root, environment)
    return credentials


def tracked(root: Path) -> dict[str, bytes]:
    """Give the files that git tracks, and the planted ones that it ignores."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout
    paths = [root / os.fsdecode(name) for name in listing.split(b"\0") if name]
    return {str(path): path.read_bytes() for path in paths if path.is_file() and not path.is_symlink()}


def try_out(application: Application, repositories: Path, folder: Path, seed: int) -> Result:
    """Take one application through all steps."""
    root = folder / application.name
    environment = os.environ | {
        "HYGIENE_HOME": str(folder / f"{application.name}.home"),
        "HYGIENE_CACHE": str(folder / "cache"),
        "SEED": str(seed),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    notes: list[str] = []
    try:
        credentials = prepare(application, repositories, root, environment)
        before = tracked(root)
        expected = [run(check, root, environment).returncode for check in application.checks]
        notes += [
            f"before: {code} from {check}" for code, check in zip(expected, application.checks, strict=True) if code
        ]
        places, rewritten = migrated(root, environment, notes)
        check_after(application, root, environment, expected, credentials)
        check_again(root, environment, before)
    except Skipped as reason:
        return Result(application.name, "skipped", (str(reason),))
    except Failed as reason:
        return Result(application.name, "failed", (*notes, str(reason)))
    return Result(application.name, "passed", tuple(notes), places, rewritten)


def migrated(root: Path, environment: Mapping[str, str], notes: list[str]) -> tuple[int, int]:
    """Migrate; gives the places found and those rewritten, and notes each one that is left by hand."""
    plan = hygiene(root, environment, "migrate", "--json")
    if plan.returncode:
        raise Failed(f"the plan failed: {plan.stderr[-500:]}")
    steps = json.loads(plan.stdout)["steps"]
    manual = [step for step in steps if step["grade"] == "manual"]
    notes += [f"by hand: {step['path']}:{step['line']} {step['rule']}: {step['reason']}" for step in manual]
    done = hygiene(root, environment, "migrate", "--apply")
    if done.returncode != (1 if manual else 0):
        raise Failed(f"migrate --apply exits {done.returncode}: {done.stderr[-500:]}")
    return len(steps), len(steps) - len(manual)


def check_after(
    application: Application, root: Path, environment: Mapping[str, str], expected: list[int], credentials: Credentials
) -> None:
    """Run the checks as before, and the proof."""
    for check, code in zip(application.checks, expected, strict=True):
        done = hygiene(root, environment, "run", "--", "sh", "-c", check)
        if done.returncode != code:
            raise Failed(f"{check} exits {done.returncode}, not {code}:\n{(done.stdout + done.stderr)[-1500:]}")
    if application.proof:
        done = hygiene(root, environment, "run", "--", "sh", "-c", application.proof)
        absent = [name for name in application.proves if credentials[name] not in done.stdout]
        if absent:
            raise Failed(f"{', '.join(absent)} is not used:\n{(done.stdout + done.stderr)[-1500:]}")


def check_again(root: Path, environment: Mapping[str, str], before: Mapping[str, bytes]) -> None:
    """A second run changes nothing, and a rollback gives back every byte."""
    once = tracked(root)
    hygiene(root, environment, "migrate", "--apply", "--allow-dirty")
    if tracked(root) != once:
        raise Failed("the second run changed something")
    if os.environ.get("KEEP_MIGRATED"):
        return
    undone = hygiene(root, environment, "migrate", "--rollback")
    if tracked(root) != before:
        raise Failed(f"the rollback did not give back every byte: {undone.stderr[-300:]}")


def main() -> int:
    """Try the applications, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for application in read_applications():
            if options.only and application.name not in options.only:
                continue
            result = try_out(application, options.repositories.resolve(), folder.resolve(), options.seed)
            results.append(result)
            print(f"{result.name:12} {result.outcome:8} {result.rewritten} of {result.places} places", flush=True)
            for note in result.notes:
                print(f"    {note}", flush=True)
    return 1 if any(result.outcome == "failed" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
