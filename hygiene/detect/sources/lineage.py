"""Where matched objects stand in history: one pass over the diffs, one over the graph, only when something matched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from hygiene.detect.sources.authorship import signatures
from hygiene.detect.sources.graph import Graph, Reach
from hygiene.finding import Provenance
from hygiene.git import Git, stop

_FILTERED = 2000  # ids that still fit a command line; with more, git tells all changes and we choose
_AT_ONCE = 4  # processes that compare trees …
_ENOUGH = 1000  # … each with so many commits or more


class Change(NamedTuple):
    """What a commit does to a path; a merge only counts where it differs from all of its parents."""

    commit: str
    olds: tuple[str, ...]  # object ids, one a parent
    new: str
    path: str


class Step(NamedTuple):
    """A commit that puts an object at a path, or takes it away."""

    commit: str
    path: str
    id: str
    added: bool


def places(
    git: Git, reach: Reach, blobs: Collection[str], commits: Collection[str], names: Collection[str]
) -> dict[str, list[Provenance]]:
    """Give the places of ``blobs`` and ``commits`` (object ids) and ``names`` (paths), by id or path, oldest first."""
    first: dict[tuple[str, str], str] = {}
    last: dict[tuple[str, str], Step] = {}
    walked = reach.commits(git)
    for step in _steps(git, walked, frozenset(blobs), frozenset(names)):  # newest first
        last.setdefault((step.id, step.path), step)
        if step.added:
            first[step.id, step.path] = step.commit
    found = _Places(git, walked, {*first.values(), *commits})
    newest = {key: found.newest(commit, last[key]) for key, commit in first.items()}
    held = holders(git, {(newest[name, path], path, name) for name, path in first})
    for (name, path), commit in first.items():
        step = last[name, path]
        sure = step.commit if step.added else commit  # a merge may have dropped it on the way to the newest
        latest = newest[name, path]
        found.add_file(name, path, commit, latest if (latest, path, name) in held else sure)
    for name in commits:
        found.add_message(name)
    return found.sorted()


class _Places:
    def __init__(self, git: Git, walked: list[bytes], wanted: Collection[str]) -> None:
        self._graph = Graph(git, walked, wanted)
        self._people = signatures(git, filter(self._graph.reaches, wanted))
        self._found: dict[str, list[Provenance]] = {}

    def newest(self, commit: str, last: Step) -> str:
        """Give the newest commit that probably still holds what ``commit`` brought."""
        return (self._graph.tip(commit) if last.added else self._graph.parent(last.commit)) or commit

    def add_file(self, name: str, path: str, commit: str, last: str) -> None:
        self._add(name, "commit", path, commit, last)

    def add_message(self, name: str) -> None:
        if self._graph.reaches(name):
            self._add(name, "message", "", name, name)

    def _add(self, name: str, kind: str, path: str, commit: str, last: str) -> None:
        if commit in self._people:
            refs = self._graph.refs(commit)
            place = Provenance(kind, path, commit, *self._people[commit], last_commit=last, refs=refs)
            self._found.setdefault(name, []).append(place)

    def sorted(self) -> dict[str, list[Provenance]]:
        for found in self._found.values():
            found.sort(key=lambda place: (_instant(place.date), place.commit, place.path))
        return self._found


def holders(git: Git, claims: Collection[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Give those of ``claims`` (commit, path, object) that hold: the commit has the object at the path."""
    asked = [claim for claim in sorted(claims) if "\n" not in claim[1]]  # git takes one line a question
    stdin = b"".join(os.fsencode(f"{commit}:{path}\n") for commit, path, _ in asked)
    answers = git.fields("cat-file", "--buffer", "--batch-check=%(objectname)", stdin=stdin, separator=b"\n")
    return {
        claim for claim, answer in zip(asked, answers, strict=False) if answer.decode("ascii", "replace") == claim[2]
    }


def _instant(date: str) -> datetime:
    return datetime.fromisoformat(date) if date else datetime.min.replace(tzinfo=UTC)


def _steps(git: Git, walked: Sequence[bytes], ids: frozenset[str], names: frozenset[str]) -> Iterator[Step]:
    if not ids and not names:
        return
    wanted = [] if names or len(ids) > _FILTERED else [f"--find-object={name}" for name in sorted(ids)]
    for change in changes(git, walked, wanted):
        if change.new in ids:
            yield Step(change.commit, change.path, change.new, added=True)
        for old in ids.intersection(change.olds):
            if old != change.new:
                yield Step(change.commit, change.path, old, added=False)
        if change.path in names:
            yield Step(change.commit, change.path, change.path, added=bool(change.new.strip("0")))


def changes(git: Git, walked: Sequence[bytes], wanted: Sequence[str] = ()) -> Iterator[Change]:
    """Give the changes of the commits ``walked`` (see ``Reach.commits``), in their order.

    ``wanted``: more options for git log. Several processes each compare the trees of a part of the commits.
    """
    size = max(_ENOUGH, -(-len(walked) // _AT_ONCE))
    parts = [walked[start : start + size] for start in range(0, len(walked), size)]
    logs: list[subprocess.Popen[bytes]] = []
    try:
        logs.extend(_log(git, part, wanted) for part in parts)
        for log in logs:
            yield from _parsed(git.fields_of(log))
    finally:
        for log in logs:
            stop(log)


def _log(git: Git, walked: Sequence[bytes], wanted: Sequence[str]) -> subprocess.Popen[bytes]:
    return Reach(revisions=tuple(line.partition(b" ")[0].decode() for line in walked)).start(
        git,
        "log",
        "--no-walk=unsorted",
        "--no-show-signature",
        "-c",
        "--root",
        "--raw",
        "-r",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--ignore-submodules=none",
        "--format=%H",
        *wanted,
    )


def _parsed(fields: Iterator[bytes]) -> Iterator[Change]:
    commit = ""
    for field in fields:
        text = field.lstrip(b"\n").decode("ascii", "replace")
        if not text.startswith(":"):
            commit = text.strip() or commit
            continue
        parents = len(text) - len(text.lstrip(":"))
        parts = text.split(" ")
        yield Change(commit, tuple(parts[parents + 1 : -2]), parts[-2], os.fsdecode(next(fields, b"")))
