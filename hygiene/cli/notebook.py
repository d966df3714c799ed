"""Opens a whole history with the notebook that its scans remember in."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import cast

from hygiene import __version__
from hygiene.cli.scanning import Scanning
from hygiene.detect.findings import Completion
from hygiene.detect.seen import Notebook
from hygiene.detect.sources.protocol import Source
from hygiene.detect.sources.registry import open_source
from hygiene.places import cache_folder, repository_folder


def open_remembered(
    root: Path, git_directory: Path, scanning: Scanning, *, believe: bool = True
) -> tuple[Source, Completion]:
    """Give the source that reads only what an earlier scan of ``root`` has not seen, and what completes its result.

    Without ``believe`` all is read, and noted.
    """
    notebook = _open_notebook(git_directory, scanning)
    source = open_source("remembered", root, notebook=notebook, examiner=scanning.examiner, believe=believe)
    return source, cast(Completion, getattr(source, "completed"))  # noqa: B009


def _open_notebook(git_directory: Path, scanning: Scanning) -> Notebook:
    """Open the notebook in ``git_directory`` for all that decides on what ``scanning`` finds and how it names it."""
    baseline = scanning.accepted().baseline
    name = "" if baseline is None else sha256(baseline.key).hexdigest()  # else leaks are named under the first commit
    facts = (__version__, scanning.digest, scanning.examiner.least, *scanning.config.exclude, name)
    return Notebook(repository_folder(git_directory), cache_folder(), repr(facts))
