"""Whether the command line calls a hook, and a glance shows that what it is about is clean."""

import os

from hygiene.cli.registry import load_guard_glance
from hygiene.detect.glance.look import is_clean

_STAGES = ("pre-commit", "pre-merge-commit")
_OF_A_PUSH = ("PRE_COMMIT_REMOTE_NAME", "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF")


def is_clean_hook(arguments: list[str]) -> bool:
    """Say whether ``arguments`` call a hook whose commit, or whose message of an assistant, is clean."""
    return _is_clean_commit(arguments) or _is_clean_call(arguments)


def _is_clean_commit(arguments: list[str]) -> bool:
    """Say whether ``arguments`` call for the hook of a commit that is clean; False where that takes a closer look."""
    if arguments[:1] != ["hook"] or not _is_commit(arguments[1:2]):
        return False
    root, cache = _root(), _cache()
    return bool(root and cache) and is_clean(root, cache)


def _is_clean_call(arguments: list[str]) -> bool:
    """Say whether ``arguments`` ask about a coding assistant's message, and it was clean: then it is answered."""
    if arguments != ["guard"]:
        return False
    root, cache = _root(), _cache()
    return bool(root and cache) and load_guard_glance()(root, cache)


def _is_commit(stage: list[str]) -> bool:
    if stage == ["auto"]:
        return bool(os.environ.get("GIT_INDEX_FILE")) and not any(map(os.environ.get, _OF_A_PUSH))
    return bool(stage) and stage[0] in _STAGES


def _root() -> str:
    """Give the top of the working tree, where git starts hooks; "" elsewhere."""
    here = os.getcwd()
    return here if os.path.exists(f"{here}/.git") and not os.environ.get("GIT_WORK_TREE") else ""


def _cache() -> str:
    """Give the folder that :func:`hygiene.places.cache_folder` gives, "" where that is not found by variables alone."""
    if chosen := os.environ.get("HYGIENE_CACHE"):
        return chosen
    if os.uname().sysname == "Darwin":
        return ""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (base if base.startswith("/") else os.path.expanduser("~/.cache")) + "/hygiene"
