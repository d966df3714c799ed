"""What a GitHub event adds to a repository, from the event's own file; no I/O but what the caller lends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hygiene.errors import UsageError

_ZEROS = "0" * 40
_PULL_REQUESTS = ("pull_request", "pull_request_target", "pull_request_review")


class Change(NamedTuple):
    """The commits to scan."""

    head: str  # empty: nothing was added
    bases: tuple[str, ...] = ()  # what they reach is not new; the first one's policy counts
    whole: bool = False  # every commit of every ref, under the checkout's own policy

    @property
    def revisions(self) -> tuple[str, ...]:
        """The range, as rev-list takes it."""
        return (self.head, *(f"^{base}" for base in self.bases))


NOTHING = Change("")
EVERYTHING = Change("HEAD", whole=True)


def github_change(name: str, event: Mapping[str, Any], exists: Callable[[str], bool]) -> Change:
    """Say what the event ``name`` with the payload ``event`` adds; ``exists`` asks the clone for a commit.

    A pull request or merge group adds what its head has and its base has not; a push what it moved the ref over.
    Anything else (schedule, workflow_dispatch, release) means the whole history. Raises UsageError for a payload
    that lacks what its kind must have.
    """
    try:
        if name in _PULL_REQUESTS:
            pull = event["pull_request"]
            return Change(_commit(pull["head"]["sha"]), (_commit(pull["base"]["sha"]),))
        if name == "merge_group":
            group = event["merge_group"]
            return Change(_commit(group["head_sha"]), (_commit(group["base_sha"]),))
        if name == "push":
            return _push(event, exists)
    except (KeyError, TypeError) as error:
        raise UsageError(f"the event {name} has no {error}", hint="set the inputs base and head instead") from error
    return EVERYTHING


def _push(event: Mapping[str, Any], exists: Callable[[str], bool]) -> Change:
    head = _commit(event["after"])
    if event.get("deleted") or not head.strip("0"):
        return NOTHING
    before = _commit(event.get("before") or _ZEROS)
    if before.strip("0") and exists(before):
        return Change(head, (before,))
    # A new branch, or one whose old tip is gone (forced): new is what the default branch has not.
    default = (event.get("repository") or {}).get("default_branch") or ""
    tip = f"refs/remotes/origin/{default}"
    if default and event.get("ref") != f"refs/heads/{default}" and exists(tip):
        return Change(head, (tip,))
    return Change(head)


def _commit(text: Any) -> str:
    """Give ``text`` if it is an object id: nothing else of an event reaches git's command line."""
    if not isinstance(text, str) or len(text) not in (40, 64) or set(text) - set("0123456789abcdef"):
        raise UsageError(f"the event names no commit: {str(text)[:80]!r}")
    return text
