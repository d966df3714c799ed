"""What the baseline commands share: where the baseline lies, and a scan of what it covers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from hygiene.cli.acceptance import baseline_path
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.baseline import Baseline, Entry, read_baseline
from hygiene.detect.scan import scan
from hygiene.detect.sources.registry import open_source
from hygiene.detect.workers import usable_cores
from hygiene.errors import SourceError
from hygiene.finding import Finding, ScanResult
from hygiene.git import find_root

Function = TypeVar("Function", bound=Callable[..., Any])
_KEY_BYTES = 32


class Place(NamedTuple):
    """The project whose baseline it is."""

    folder: Path
    root: Path | None
    path: Path  # of the baseline

    @classmethod
    def here(cls, wish: str) -> Place:
        """Give the project that the working folder lies in; ``wish`` names its baseline, if the user does."""
        folder = Path.cwd()
        root = find_root(folder)
        return cls(root or folder, root, baseline_path(folder, root, wish))


def file_option(command: Function) -> Function:
    """Add ``--baseline FILE`` to a command."""
    return click.option("--baseline", "wish", default="", metavar="FILE", help="The baseline to work on.")(command)


def history_option(command: Function) -> Function:
    """Add ``--history`` to a command."""
    return click.option("--history", is_flag=True, help="Cover every commit, not only the working tree.")(command)


def new_key() -> bytes:
    """Make the random key of a new baseline."""
    return os.urandom(_KEY_BYTES)


def findings_under(key: bytes, place: Place, *, history: bool) -> ScanResult:
    """Scan the project, naming leaks under ``key``; raises SourceError where not all could be read."""
    scanning = open_scanning(place.folder, place.root, Wishes(no_baseline=True))
    source = open_source("history" if history and place.root else "directory", place.folder)
    scanning.examiner.name_under(key)
    result = scan(source, scanning.examiner, scanning.accepted, exclude=scanning.config.exclude, jobs=usable_cores())
    unread = [skip for skip in result.skipped if skip.incomplete]
    if unread:
        raise SourceError(
            f"not all could be read, so the baseline is not changed: {unread[0].path}: {unread[0].reason}",
            hint="hygiene scan lists what could not be read",
        )
    return result


def entry_of(finding: Finding, *, reason: str = "", decision: str = "") -> Entry:
    """Give the entry that accepts ``finding``."""
    return Entry(finding.fingerprint, finding.rule, finding.path, reason, decision)


def existing(place: Place) -> Baseline | None:
    """Read the baseline of ``place``; None where there is none yet."""
    return read_baseline(place.path)
