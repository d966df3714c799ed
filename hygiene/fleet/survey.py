"""Looks where each repository stands, and fetches what has moved: an unchanged one costs one comparison."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hygiene.config import FILE_NAME, PYPROJECT
from hygiene.detect.baseline import FILE_NAME as BASELINE
from hygiene.errors import HygieneError
from hygiene.fleet.mirror import mirror_path, remote_tips, update_mirror
from hygiene.fleet.tasks import git_folder
from hygiene.fleet.tips import digest_of, git_directory, local_tips, pack_bytes
from hygiene.git import Git

_POLICY = (FILE_NAME, PYPROJECT, BASELINE)


class Known(NamedTuple):
    """What the inventory knows of a repository."""

    id: int
    key: str
    name: str
    url: str
    path: str
    scanned: str
    tips: str = ""  # of the scan that ``scanned`` tells of
    problem: str = ""  # why that scan did not read all


class Standing(NamedTuple):
    """Where a repository stands."""

    known: Known
    path: str = ""
    tips: str = ""
    digest: str = ""  # of all that a scan's outcome depends on
    bytes: int = 0  # of its packs
    grown: bool = False  # only its refs have moved since it was scanned: what was read then is remembered
    problem: str = ""

    @property
    def changed(self) -> bool:
        """Whether it is to be scanned: what was not whole may be mended without a ref that moves."""
        return not self.problem and (self.digest != self.known.scanned or self.known.problem != "")


def survey(repositories: Sequence[Known], mirrors: Path, rules: str, *, at_once: int) -> Iterator[Standing]:
    """Look at ``repositories``, ``at_once`` at a time; ``rules`` is the digest of what all scans go by."""
    with ThreadPoolExecutor(at_once, thread_name_prefix="survey") as pool:
        yield from pool.map(partial(_look, mirrors=mirrors, rules=rules), repositories)


def _look(known: Known, mirrors: Path, rules: str) -> Standing:
    try:
        return _remote(known, mirrors, rules) if known.url else _local(known, rules)
    except HygieneError as error:
        return Standing(known, known.path, problem=error.message)
    except OSError as error:
        return Standing(known, known.path, problem=f"{known.path}: {error.strerror}")


def _local(known: Known, rules: str) -> Standing:
    folder = git_folder(known.path)
    inside = folder / ".git" if (folder / ".git").is_dir() else folder
    git = Git(folder)
    tips = local_tips(git)
    policy = tuple(_standing(folder, inside))
    grown = digest_of(known.tips, rules, *policy) == known.scanned
    size = pack_bytes(git_directory(folder))
    return Standing(known, known.path, tips, digest_of(tips, rules, *policy), size, grown)


def _remote(known: Known, mirrors: Path, rules: str) -> Standing:
    path = Path(known.path) if known.path else mirror_path(mirrors, known.key, known.name)
    tips = remote_tips(known.url)
    if digest_of(tips, rules) != known.scanned or not path.exists():
        tips = update_mirror(path, known.url)
    grown = digest_of(known.tips, rules) == known.scanned
    return Standing(known, os.fspath(path), tips, digest_of(tips, rules), pack_bytes(path), grown)


def _standing(folder: Path, inside: Path) -> Iterator[str]:
    """Give what counts for a clone beside its refs: what HEAD says, and the policy in its working tree."""
    yield _content(inside / "HEAD")
    if inside != folder:
        yield from (_content(folder / name) for name in _POLICY)


def _content(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
