"""Opens the notebook that a scan of a whole history remembers in."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from hygiene import __version__
from hygiene.cli.scanning import Scanning
from hygiene.detect.seen import Notebook
from hygiene.places import cache_folder, repository_folder


def open_notebook(git_directory: Path, scanning: Scanning) -> Notebook:
    """Open the notebook in ``git_directory`` for all that decides on what ``scanning`` finds and how it names it."""
    baseline = scanning.accepted().baseline
    name = "" if baseline is None else sha256(baseline.key).hexdigest()  # else leaks are named under the first commit
    facts = (__version__, scanning.digest, scanning.examiner.least, *scanning.config.exclude, name)
    return Notebook(repository_folder(git_directory), cache_folder(), repr(facts))
