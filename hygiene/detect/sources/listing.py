"""Which objects there are: all of a repository, or those that some revisions add."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

from hygiene.detect.sources.graph import Reach
from hygiene.finding import Skipped
from hygiene.git import Git, complaints_of, git_error, stop

_NAMED = 20  # missing objects that are listed one by one
NOT_HERE = "is not in this clone"


class Listed(NamedTuple):
    """One object."""

    id: str
    type: str  # blob, commit, tree, tag
    path: str  # the first path that a walk came by; "" where nothing walked


def all_objects(git: Git) -> Iterator[Listed]:
    """List every object, reachable or not, in the order that packs hold them: much cheaper than to walk the refs."""
    listing = git.fields(
        "cat-file",
        "--batch-all-objects",
        "--unordered",
        "--batch-check=%(objectname) %(objecttype)",
        separator=b"\n",
    )
    for line in listing:
        name, _, kind = line.decode().partition(" ")
        yield Listed(name, kind, "")


def added_objects(git: Git, reach: Reach) -> Iterator[Listed]:
    """List what ``reach`` reaches, each object with the first path that holds it."""
    walk = reach.start(git, "rev-list", "--objects", "--missing=print")
    assert walk.stdout is not None
    try:
        kinds = git.start(
            "cat-file", "--buffer", "--batch-check=%(objectname) %(objecttype) %(rest)", stdin=walk.stdout
        )
        try:
            yield from map(_parse, _lines(kinds))
            for process in (walk, kinds):
                if process.wait():
                    raise git_error(git.folder, complaints_of(process))
        finally:
            stop(kinds)
    finally:
        stop(walk)


def _parse(line: bytes) -> Listed:
    name, kind, *rest = os.fsdecode(line).split(" ", 2)
    return Listed(name.lstrip("?"), kind, rest[0] if rest else "")


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip(b"\n")


def walk_names(git: Git, reach: Reach) -> tuple[set[str], list[Skipped]]:
    """Walk all trees of ``reach``: give every path (up to its first newline), and what is missing."""
    paths: set[str] = set()
    missing: list[str] = []
    for line in reach.fields(git, "rev-list", "--objects", "--missing=print", separator=b"\n"):
        if line.startswith(b"?"):
            missing.append(line[1:].decode())
        elif path := line.partition(b" ")[2]:
            paths.add(os.fsdecode(path))
    if len(missing) > _NAMED:
        return paths, [Skipped("", f"{len(missing)} objects are not in this clone")]
    return paths, [Skipped(name, f"object {name} {NOT_HERE}") for name in missing]
