"""Where a repository stands: a digest of its refs, to compare without reading anything else."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from hygiene.fleet.refs import read_refs
from hygiene.git import Git


def local_tips(git: Git) -> str:
    """Give the digest of the refs of a repository at hand: of each, its name and its object."""
    inside = git.folder / ".git"
    found = read_refs(inside if inside.exists() else git.folder)
    if found is None:
        return _digest(git.run("for-each-ref", "--format=%(objectname) %(refname)").splitlines())
    return _digest(b"%s %s" % (target, name) for name, target in found.items())


def listed_tips(listing: bytes) -> str:
    """Give the digest of what ``git ls-remote`` wrote, the same that a mirror of all those refs has."""
    lines = (line.split(b"\t", 1) for line in listing.splitlines() if b"\t" in line)
    return _digest(b" ".join(line) for line in lines if line[1].startswith(b"refs/") and not line[1].endswith(b"^{}"))


def digest_of(*parts: str) -> str:
    """Join ``parts`` into one digest."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:40]


def git_directory(folder: Path) -> Path:
    """Give where a repository's objects lie; git is asked only about a linked worktree, whose ``.git`` is a file."""
    inside = folder / ".git"
    if inside.is_dir():
        return inside
    return Git(folder).common_dir() if inside.exists() else folder


def pack_bytes(folder: Path) -> int:
    """Give the bytes of a repository's packs, and of its loose objects by their number; what can't be read counts 0."""
    objects = folder / "objects"
    return _sum(objects / "pack", ".pack") + 256 * _sum(objects / "17", "")


def _sum(folder: Path, suffix: str) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(entry.stat().st_size for entry in entries if entry.name.endswith(suffix))
    except OSError:
        return 0


def _digest(lines: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\n".join(sorted(lines))).hexdigest()[:40]
