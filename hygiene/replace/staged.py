"""What is staged is migrated where it is staged: in the index, beside the same edit of the working tree.

A commit that the hook has stopped leaves its files staged, some of them in part. The staged version of a file is
rewritten by itself, with the names that its working copy gets, so that no other hunk is swept into the commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple

from hygiene.git import Git
from hygiene.journal import Journal
from hygiene.replace.edits import apply_edits
from hygiene.replace.journaled import KeptFile, KeptStep, unit_from_json
from hygiene.replace.opened import open_file, rewrite_checked
from hygiene.replace.plan import Place
from hygiene.replace.rewriters.protocol import Skip, Style
from hygiene.replace.worktree import Worktree

_EVENT = "index"


class Staged(NamedTuple):
    """A file of the index that differs from the last commit's."""

    path: str
    mode: str
    blob: str


def staged_files(git: Git) -> list[Staged]:
    """Give the files that are staged with a change; deletions, conflicts and submodules are none."""
    head = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1)).decode().strip()
    base = head or git.run("hash-object", "-t", "tree", "--stdin", stdin=b"").decode().strip()
    fields = iter(git.run("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", base).split(b"\0"))
    found = []
    for header in fields:
        if header.startswith(b":"):
            _, mode, _, blob, status = header.decode().split(" ")
            path = os.fsdecode(next(fields))
            if status in "AMT" and mode.startswith("100"):
                found.append(Staged(path, mode, blob))
    return found


def prepare_index(tree: Worktree, journal: Journal) -> None:
    """Rewrite the staged version of each file of ``journal``, and record what the index is to hold.

    The new versions hold references only, so they may lie among git's objects before anything is stored.
    """
    style = Style(*journal.facts["style"])
    files = {file.path: file for unit in journal.facts["units"] for file in unit_from_json(unit).files}
    changes = []
    for staged in staged_files(tree.git):
        file = files.get(staged.path)
        after = _rewritten(tree, staged, file, style) if file else None
        if after is not None:
            new = tree.git.run("hash-object", "-w", "--stdin", stdin=after).decode().strip()
            changes.append([staged.path, staged.mode, staged.blob, new])
    if changes:
        journal.record(_EVENT, changes=changes)


def restage(tree: Worktree, journal: Journal, written: Sequence[str]) -> list[str]:
    """Put the rewritten versions of the files ``written`` into the index; gives their paths."""
    return _update(tree, journal, lambda old, new: (old, new), set(written))


def unstage(tree: Worktree, journal: Journal) -> list[str]:
    """Put the versions that were staged before back into the index; gives their paths."""
    return _update(tree, journal, lambda old, new: (new, old), None)


def _update(
    tree: Worktree, journal: Journal, direction: Callable[[str, str], tuple[str, str]], only: set[str] | None
) -> list[str]:
    now = {staged.path: staged.blob for staged in staged_files(tree.git)}
    lines, done = [], []
    for entry in journal.entries(_EVENT):
        for path, mode, old, new in entry["changes"]:
            known, wanted = direction(old, new)
            if now.get(path) == known and (only is None or path in only):  # else it was staged anew since
                lines.append(f"{mode} {wanted}\t{path}\0")
                done.append(path)
    if lines:
        tree.git.run("update-index", "-z", "--index-info", stdin=os.fsencode("".join(lines)))
    return done


def _rewritten(tree: Worktree, staged: Staged, file: KeptFile, style: Style) -> bytes | None:
    """Give the staged version without its secrets; None where it holds none of them."""
    working, content = tree.read(staged.path) or b"", tree.git.run("cat-file", "blob", staged.blob)
    opened = open_file(staged.path, content)
    if isinstance(opened, Skip):
        return None
    targets = [
        opened.target(place, step.variable, step.reference) for step, place in _places(file.steps, working, content)
    ]
    rewrite = rewrite_checked(opened, targets, style) if targets else None
    if rewrite is None or not rewrite.changes:
        return None
    return apply_edits(content, opened.original_edits(rewrite))


def _places(steps: Sequence[KeptStep], working: bytes, staged: bytes) -> Iterator[tuple[KeptStep, Place]]:
    """Find the places of ``steps`` in ``staged``: on the lines that both versions have in common."""
    old, new = working.splitlines(keepends=True), staged.splitlines(keepends=True)
    starts_old, starts_new = ([0, *accumulate(map(len, lines))] for lines in (old, new))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    for step in steps:
        place = step.place
        for block in blocks:
            first, last = starts_old[block.a], starts_old[block.a + block.size]
            if first <= place.start and place.end <= last:
                shift = starts_new[block.b] - first
                lines = block.b - block.a
                yield (
                    step,
                    place._replace(start=place.start + shift, end=place.end + shift, line=place.line + lines),
                )
