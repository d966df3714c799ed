"""The commit graph: what some revisions reach, and which refs reach a commit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator
from typing import NamedTuple

from hygiene.detect.sources.objects import ObjectReader
from hygiene.detect.sources.protocol import Item
from hygiene.git import Git, spooled

_REFS = 10  # as many as a person reads


class Reach(NamedTuple):
    """What a walk starts from and stops at."""

    options: tuple[str, ...] = ()  # "--all", "--reflog", "--not" and the like, in rev-list's order
    revisions: tuple[str, ...] = ()  # "X", "^X", "A..B"; passed on standard input, so any number of them

    def fields(self, git: Git, command: str, *arguments: str, separator: bytes = b"\0") -> Iterator[bytes]:
        """Run ``git command`` over what this reaches; give its output's fields. Raises SourceError."""
        return git.fields(command, "--stdin", *arguments, *self.options, stdin=self._stdin(), separator=separator)

    def start(self, git: Git, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``git command`` over what this reaches, for its output to be read."""
        with spooled(self._stdin()) as stdin:
            return git.start(command, "--stdin", *arguments, *self.options, stdin=stdin)

    def commits(self, git: Git) -> list[bytes]:
        """List the commits, children before parents, each with its parents behind it, a blank between two ids."""
        return list(self.fields(git, "rev-list", "--topo-order", "--parents", separator=b"\n"))

    def _stdin(self) -> bytes:
        return os.fsencode("".join(f"{revision}\n" for revision in self.revisions))


class Graph:
    """Which refs reach which of some commits."""

    def __init__(self, git: Git, commits: list[bytes], wanted: Collection[str]) -> None:
        """Look for the commits ``wanted`` among ``commits`` (see :meth:`Reach.commits`), which are used up."""
        self._bits = {name: 1 << bit for bit, name in enumerate(sorted(wanted))}
        self._parents: dict[str, str] = {}
        self._seen: dict[str, int] = {}
        self._walk(commits)
        self._refs: dict[str, list[str]] = {}
        self._tips: dict[str, str] = {}
        self._gather(git)

    def _walk(self, commits: list[bytes]) -> None:
        seen, bits = self._seen, self._bits
        while commits:
            commit, *parents = commits.pop().decode().split(" ")
            mask = bits.get(commit, 0)
            for parent in parents:
                mask |= seen.get(parent, 0)
            seen[commit] = mask
            if mask and parents:
                self._parents[commit] = parents[0]

    def _gather(self, git: Git) -> None:
        todo = sum(self._bits.values())
        by_bit = {bit: name for name, bit in self._bits.items()}
        for commit, ref in sorted(tips(git), key=lambda tip: _rank(tip[1])):
            left = self._seen.get(commit, 0) & todo
            while left:
                bit = left & -left
                left ^= bit
                name = by_bit[bit]
                self._tips.setdefault(name, commit)
                refs = self._refs.setdefault(name, [])
                refs.append(ref)
                if len(refs) == _REFS:
                    todo ^= bit

    def reaches(self, commit: str) -> bool:
        """Say whether the walk came by ``commit``."""
        return commit in self._seen

    def refs(self, commit: str) -> tuple[str, ...]:
        """Give the nearest refs that reach ``commit``."""
        return tuple(self._refs.get(commit, ()))

    def tip(self, commit: str) -> str:
        """Give the tip of the nearest ref that reaches ``commit``, "" where none does."""
        return self._tips.get(commit, "")

    def parent(self, commit: str) -> str:
        """Give the first parent of a commit after one of the wanted, "" where there is none."""
        return self._parents.get(commit, "")


def tips(git: Git) -> list[tuple[str, str]]:
    """Give the commits that refs point at (tags peeled), HEAD first, each with the ref's name."""
    head = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1, 128)).decode().strip()
    found = [(head, "HEAD")] if head else []
    for line in git.run("for-each-ref", "--format=%(objectname) %(*objectname) %(refname)").splitlines():
        direct, peeled, ref = line.split(b" ", 2)
        found.append(((peeled or direct).decode(), os.fsdecode(ref)))
    return found


def tag_refs(git: Git) -> Iterator[tuple[str, str]]:
    """Give every annotated tag that a ref reaches, tags of tags too, with that ref's name."""
    level: dict[str, list[str]] = {}  # refs by the tag that they reach, through as many tags as there are levels
    for line in git.run("for-each-ref", "--format=%(objecttype) %(objectname) %(refname)").splitlines():
        kind, name, ref = line.split(b" ", 2)
        if kind == b"tag":
            level.setdefault(name.decode(), []).append(os.fsdecode(ref))
    reader = ObjectReader(git)
    try:
        while level:
            yield from ((name, ref) for name, refs in level.items() for ref in refs)
            inner: dict[str, list[str]] = {}
            for blob in reader.read([Item(name, 0, "") for name in level]):
                target, kind = (header.partition(b" ")[2] for header in blob.data.split(b"\n", 2)[:2])
                if kind == b"tag":
                    inner.setdefault(target.decode(), []).extend(level[blob.id])
            level = inner
    finally:
        reader.close()


def _rank(ref: str) -> tuple[int, str]:
    order = ("HEAD", "refs/heads/", "refs/tags/", "refs/stash", "refs/remotes/")
    return next((place for place, prefix in enumerate(order) if ref.startswith(prefix)), len(order)), ref
