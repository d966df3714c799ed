"""Which commits a push brings: from what git, or the pre-commit framework, tells the hook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

_ZEROS = frozenset("0")


class Update(NamedTuple):
    """One ref that is pushed; an id of zeros means that the ref is made or deleted."""

    new: str
    old: str
    ref: str


def parse_updates(lines: Iterable[str], *, received: bool) -> list[Update]:
    """Read the lines that git writes to pre-push (githooks(5)), or, with ``received``, to pre-receive."""
    updates = []
    for line in lines:
        words = line.split()
        if received and len(words) >= 3:
            updates.append(Update(new=words[1], old=words[0], ref=words[2]))
        elif not received and len(words) >= 4:
            updates.append(Update(new=words[-3], old=words[-1], ref=words[-2]))
    return [update for update in updates if not is_zero(update.new)]


def framework_update(environment: Mapping[str, str]) -> Update:
    """Read what pre-commit and prek hand over: one ref, and for a root commit not even that."""
    branch = environment.get("PRE_COMMIT_LOCAL_BRANCH", "")
    new = environment.get("PRE_COMMIT_TO_REF") or branch or "HEAD"
    return Update(new=new, old=environment.get("PRE_COMMIT_FROM_REF", ""), ref=branch or "HEAD")


def pushed_revisions(updates: Sequence[Update], remote: str, exists: Callable[[str], bool]) -> tuple[str, ...]:
    """Say, in git's words, which commits ``updates`` bring that ``remote`` has not; () for none.

    Reachability, not a net difference: a secret that one pushed commit adds and the next removes is in. Old ids that
    this clone does not have (a forced push) can't be excluded.
    """
    if not updates:
        return ()
    news = dict.fromkeys(update.new for update in updates)
    olds = dict.fromkeys(update.old for update in updates if update.old and not is_zero(update.old))
    known = [f"^{old}" for old in olds if exists(old)]
    others = ("--not", f"--remotes={remote}") if remote else ()
    return (*news, *known, *others)


def received_revisions(updates: Sequence[Update]) -> tuple[str, ...]:
    """Say which commits a server is about to receive: what no ref of it holds yet."""
    return (*dict.fromkeys(update.new for update in updates), "--not", "--all") if updates else ()


def is_zero(name: str) -> bool:
    """Say whether ``name`` is the id of no object, in SHA-1 or SHA-256."""
    return bool(name) and set(name) == _ZEROS
