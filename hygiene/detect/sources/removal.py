"""Which commits took a leak out again: a leak that one pushed commit adds and the next removes is still pushed."""

from __future__ import annotations

from collections.abc import Sequence

from hygiene.finding import Finding
from hygiene.git import Git

_PLACES = 4  # as many commits as are told


def removals(git: Git, finding: Finding, tips: Sequence[str]) -> tuple[str, ...]:
    """Give the commits on the way to ``tips`` that took ``finding`` away from a path, each once.

    () where the tips still hold it, or its places are in no commit.
    """
    holding = {place.commit for place in finding.provenance}
    found = (_next_change(git, place.last_commit, place.path, tips) for place in finding.provenance[-_PLACES:])
    return tuple(dict.fromkeys(commit for commit in found if commit and commit not in holding))


def _next_change(git: Git, holder: str, path: str, tips: Sequence[str]) -> str:
    """Give the first commit after ``holder`` that touches ``path``, "" for none."""
    if not holder or not path:
        return ""
    walk = ("rev-list", "--reverse", "--topo-order", "--ancestry-path", f"^{holder}", *tips)
    changes = git.run(*walk, "--", f":(top,literal){path}", ok=(0, 128)).split()  # 128: a tip is no commit
    return changes[0].decode() if changes else ""
