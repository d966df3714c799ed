"""A migration on a branch of its own: made without touching the files, committed without running hooks."""

from __future__ import annotations

from pathlib import Path

from git import Repo
from git.exc import GitCommandError, GitError

from hygiene.errors import SourceError, UsageError
from hygiene.git import Git
from hygiene.replace.migrate import Outcome


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

    Files that git ignores or did not know before (a ``.env``) stay out, except the wiring.
    """
    wiring = {"secrets.toml", ".env.example", ".gitignore"}
    paths = [path for path in outcome.written if path not in untracked or path in wiring]
    git = Git(root)
    listing = b"\0".join(path.encode("utf-8", "surrogateescape") for path in paths)
    git.run("add", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=listing)
    repository = Repo(root)
    repository.git.set_persistent_git_options(c="core.hooksPath=/dev/null")
    try:
        repository.git.commit("--quiet", "--no-verify", "--message", message(outcome))
    except GitCommandError as error:
        reason = str(error.stderr).strip().splitlines()
        raise SourceError(
            f"git does not commit: {reason[-1] if reason else 'no reason given'}",
            hint="the files are migrated: commit them yourself",
        ) from None
    return str(repository.head.commit.hexsha)


def message(outcome: Outcome) -> str:
    """Write the commit's message; it names secrets, never values."""
    names = "\n".join(f"- {name}" for name in outcome.stored)
    return (
        f"Replace {len(outcome.stored)} secrets by references\n\n"
        f"Stored and read back before any file was changed:\n{names}\n\n"
        "They were in the history of this repository, so they are to be rotated.\n"
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
