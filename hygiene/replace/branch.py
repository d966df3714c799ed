"""A migration on a branch of its own: made without touching the files, committed without running hooks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from git import Repo
from git.exc import GitError

from hygiene.errors import SourceError, UsageError
from hygiene.git import Git
from hygiene.replace.journaled import Unit
from hygiene.replace.migrate import Outcome
from hygiene.replace.wiring import FILES


def start_branch(root: Path, name: str) -> str:
    """Make the branch ``name`` at the last commit and switch to it; gives the branch that was checked out.

    The files stay as they are. Raises :class:`UsageError` for a name that is taken or can't be one.
    """
    repository = Repo(root)
    if not repository.head.is_valid():
        raise UsageError("there is no commit yet", hint="commit first, or leave --branch out")
    if any(head.name == name for head in repository.heads):
        raise UsageError(f"there is a branch {name} already", hint="choose another name, or delete it: git branch -D")
    came_from = repository.head.commit.hexsha if repository.head.is_detached else repository.active_branch.name
    try:
        Git(root).run("check-ref-format", "--branch", name)
        branch = repository.create_head(name)
        repository.head.reference = branch
    except (GitError, SourceError, ValueError, OSError) as error:
        raise UsageError(f"git makes no branch called {name!r}") from error
    return came_from


def commit(root: Path, outcome: Outcome, untracked: set[str]) -> str:
    """Commit what a migration wrote, and nothing else; gives the commit's id.

    Files that git ignores or did not know before (a ``.env``) stay out, except the wiring. After a crash, what is
    committed already is not committed again.
    """
    paths = [path for path in outcome.written if path not in untracked or path in FILES]
    return _commit(root, paths, message(outcome.stored))


def commit_each(root: Path, outcome: Outcome, units: Iterable[Unit], untracked: set[str]) -> str:
    """Commit the wiring, then the secrets one by one, or those together that stand in the same files."""
    wiring = [path for path in outcome.written if path in FILES]
    last = _commit(root, wiring, "List where each secret is kept\n\nNo values: environment names and references.\n")
    written = set(outcome.written) - untracked - FILES
    for unit in units:
        paths = [file.path for file in unit.files if file.path in written]
        last = _commit(root, paths, message([entry.name for entry in unit.entries]))
    return last


def _commit(root: Path, paths: Sequence[str], text: str) -> str:
    """Commit the changes of ``paths`` where there are any; what else is staged stays staged."""
    git = Git(root)
    listing = b"\0".join(path.encode("utf-8", "surrogateescape") for path in paths)
    named = ("--pathspec-from-file=-", "--pathspec-file-nul")
    if paths:
        git.run("add", *named, stdin=listing)
    staged = {os.fsdecode(name) for name in git.fields("diff", "--cached", "--name-only", "--no-renames", "-z")}
    own = staged & {os.fsdecode(path.encode("utf-8", "surrogateescape")) for path in paths}
    if own:
        chosen = b"\0".join(map(os.fsencode, sorted(own)))
        try:
            hooks = ("-c", "core.hooksPath=/dev/null")
            git.run(*hooks, "commit", "--quiet", "--no-verify", f"--message={text}", "--only", *named, stdin=chosen)
        except SourceError as error:
            raise SourceError(
                f"git does not commit: {error.message}", hint="the files are migrated: commit them yourself"
            ) from None
    return git.line("rev-parse", "HEAD")


def message(stored: Sequence[str]) -> str:
    """Write the commit's message; it names secrets, never values."""
    names = "\n".join(f"- {name}" for name in stored)
    title = (
        f"Replace {stored[0]} by a reference" if len(stored) == 1 else f"Replace {len(stored)} secrets by references"
    )
    return (
        f"{title}\n\n"
        f"Stored and read back before any file was changed:\n{names}\n\n"
        "What was in the history of this repository is known, so it is to be rotated.\n"
    )


def leave_branch(root: Path, name: str, came_from: str) -> None:
    """Go back to the branch ``came_from`` after a rollback, whose files are already in place, and drop ``name``."""
    repository = Repo(root)
    if repository.head.is_detached or repository.active_branch.name != name:
        return
    known = next((head for head in repository.heads if head.name == came_from), None)
    repository.head.reference = known if known is not None else repository.commit(came_from)
    repository.index.reset(working_tree=False)
    repository.delete_head(name, force=True)
