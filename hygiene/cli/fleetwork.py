"""What a worker is given to do: opens a repository as ``hygiene scan --history`` does, and does one task on it."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

from hygiene.cli.notebook import open_remembered
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.registry import Loaded, load_engine
from hygiene.detect.rulefolders import RuleChoice
from hygiene.detect.sources.registry import open_source
from hygiene.errors import HygieneError, SourceError
from hygiene.fleet.engines.protocol import Batch
from hygiene.fleet.owners import read_owners
from hygiene.fleet.tasks import PART, PLACE, Bench, Outcome, Unit, git_folder, work
from hygiene.fleet.tips import git_directory, local_tips
from hygiene.git import Git

_ENGINES = 4  # that a worker keeps: repositories may switch rules off


def perform(batch: Batch) -> list[Outcome]:
    """Do the units of ``batch``; what goes wrong with one is its outcome, and stops no other."""
    return [_outcome(unit, batch) for unit in batch.units]


def _outcome(unit: Unit, batch: Batch) -> Outcome:
    start = time.monotonic()
    try:
        outcome = _done(unit, batch)
    except HygieneError as error:
        outcome = Outcome(unit, problem=error.message)
    except (ValueError, LookupError, TypeError, ArithmeticError, OSError, MemoryError) as error:
        # A mistake of ours; its own words may quote what was being read.
        outcome = Outcome(unit, problem=f"an internal error ({type(error).__name__})")
    return outcome._replace(seconds=time.monotonic() - start)


def _done(unit: Unit, batch: Batch) -> Outcome:
    folder = git_folder(unit.path)
    git = Git(folder)
    outcome = work(unit, _bench(unit, batch.config, folder, git), batch.key)
    if not outcome.rows:
        return outcome
    owners = read_owners(git)
    return outcome._replace(owners=tuple(owners.of(row.path) for row in outcome.rows), owner=owners.fallback)


def _bench(unit: Unit, config: str, folder: Path, git: Git) -> Bench:
    bare = not (folder / ".git").exists()
    # A bare mirror has its policy in the default branch, where a clone has it in its files.
    base = "HEAD" if bare and not config else ""
    scanning = open_scanning(folder, folder, Wishes(config=config), base=base, load=load_kept)
    if unit.kind == PART:
        return Bench(open_source("history", folder), scanning.examiner, scanning.accepted, scanning.config.exclude)
    if unit.kind == PLACE and local_tips(git) != unit.tips:
        raise SourceError("it was pushed to while it was scanned", hint="scan again")
    # The objects of a placing unit are given: all in which something matches.
    source, completed = open_remembered(folder, git_directory(folder), scanning, believe=unit.kind != PLACE)
    return Bench(source, scanning.examiner, scanning.accepted, scanning.config.exclude, completed)


def load_kept(choice: RuleChoice, cache: Path, *, kind: str = "") -> Loaded:
    """Give the engine that an earlier repository had: the rules of the package stay as long as this process does."""
    return load_engine(choice, cache, kind=kind) if choice.folders else _load_built_in(choice, cache, kind)


@lru_cache(maxsize=_ENGINES)
def _load_built_in(choice: RuleChoice, cache: Path, kind: str) -> Loaded:
    return load_engine(choice, cache, kind=kind)
