"""The refs of a repository, read from its files (gitrepository-layout(5)): a git process would take ten times as long.

Whatever is not the plain layout is left to git: a linked worktree, the reftable format, links, a file that holds
neither an object's id nor the name of another ref.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_OBJECT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_POINTS = b"ref: "
_MOST_STEPS = 5  # from one ref to another, as git allows


class _Unusual(Exception):
    """Git knows better."""


def read_refs(directory: Path) -> dict[bytes, bytes] | None:
    """Give the object of each ref in the git ``directory``, by the ref's name; None where git has to be asked."""
    try:
        if (directory / "reftable").exists() or not _is_repository(directory):
            return None
        loose = dict(_loose(os.fsencode(directory), b"refs"))
        found = dict(_packed(directory / "packed-refs"))  # in this order: what goes into it is removed only then
        found |= loose
    except (OSError, _Unusual):
        return None
    for name in [name for name, target in found.items() if target.startswith(_POINTS)]:
        found[name] = _resolved(found, name)
    return {name: target for name, target in found.items() if target}


def _is_repository(directory: Path) -> bool:
    return (directory / "HEAD").is_file() and (directory / "objects").is_dir()


def _loose(directory: bytes, folder: bytes) -> Iterator[tuple[bytes, bytes]]:
    with os.scandir(os.path.join(directory, folder)) as entries:  # noqa: PTH118 - names are bytes
        for entry in entries:
            name = folder + b"/" + entry.name
            if entry.is_symlink():
                raise _Unusual
            if entry.is_dir():
                yield from _loose(directory, name)
            elif not entry.name.endswith(b".lock"):
                yield name, _content(entry.path)


def _content(path: bytes) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - its name is bytes
        content = file.read().rstrip()
    if not (_OBJECT.fullmatch(content) or content.startswith(_POINTS)):
        raise _Unusual
    return content


def _packed(path: Path) -> Iterator[tuple[bytes, bytes]]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        target, _, name = line.partition(b" ")
        if name and target != b"#":
            yield name, target


def _resolved(found: dict[bytes, bytes], name: bytes) -> bytes:
    """Give the object that ``name`` stands for; nothing where it points nowhere, which git does not list either."""
    target = found[name]
    for _ in range(_MOST_STEPS):
        if not target.startswith(_POINTS):
            return target
        target = found.get(target.removeprefix(_POINTS).strip(), b"")
    return b""
