"""The only place that runs git: plumbing by subprocess, with the repository's own programs switched off.

A scanned repository is hostile input. Its configuration may name programs (fsmonitor, hooks, external diff,
textconv, filters, pagers, credential helpers); none of the calls here lets git start one.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hygiene.errors import SourceError

_SAFE_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.untrackedCache=false",
    "core.alternateRefsCommand=",
    "core.quotePath=false",
    "core.attributesFile=/dev/null",
    "diff.external=",
    "diff.noprefix=false",
    "diff.orderFile=",
    "protocol.allow=never",
    "credential.helper=",
)
_SAFE_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "true",
    "LC_ALL": "C",
}


class Git:
    """Git in one repository."""

    def __init__(self, folder: Path) -> None:
        """Work in ``folder``: a working tree, a folder of one, or a bare repository."""
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        """Build the command line for ``arguments``."""
        settings = [part for setting in _SAFE_SETTINGS for part in ("-c", setting)]
        return ["git", *settings, *arguments]

    def environment(self) -> dict[str, str]:
        """Build the environment that git runs in; GIT_DIR, GIT_INDEX_FILE and the quarantine are kept."""
        return {**os.environ, **_SAFE_ENVIRONMENT}

    def run(self, *arguments: str, stdin: bytes | None = None, ok: Sequence[int] = (0,)) -> bytes:
        """Run git and give its output; raises :class:`SourceError` with git's own words and a hint."""
        try:
            done = subprocess.run(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment(),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
            )
        except FileNotFoundError as error:
            raise SourceError("git is not installed, or the folder is gone", hint="install git") from error
        except OSError as error:
            raise SourceError(f"cannot run git in {self.folder}: {error.strerror}") from error
        if done.returncode not in ok:
            raise git_error(self.folder, done.stderr)
        return done.stdout

    def line(self, *arguments: str) -> str:
        """Run git and give its one line of output."""
        return os.fsdecode(self.run(*arguments)).rstrip("\n")

    def root(self) -> Path:
        """Give the top of the working tree, or the git directory of a bare repository."""
        bare = self.line("rev-parse", "--is-bare-repository") == "true"
        return Path(self.line("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel"))

    def common_dir(self) -> Path:
        """Give the git directory that all worktrees share."""
        return (self.folder / self.line("rev-parse", "--git-common-dir")).resolve()


def git_error(folder: Path, stderr: bytes) -> SourceError:
    """Translate git's complaint about ``folder``."""
    words = os.fsdecode(stderr).strip()
    if "dubious ownership" in words:
        return SourceError(
            f"git refuses {folder}: it belongs to another user",
            hint=f"if you trust it: git config --global --add safe.directory {folder}",
        )
    if "not a git repository" in words:
        return SourceError(f"{folder} is not a git repository", hint="scan it as a folder, or run git init")
    reason = next((line for line in words.splitlines() if line.startswith(("fatal:", "error:"))), words[:300])
    return SourceError(f"git failed in {folder}: {reason or 'no reason given'}", hint="git fsck may tell more")


def find_root(start: Path) -> Path | None:
    """Give the root of the repository that ``start`` lies in, or None outside of one."""
    try:
        return Git(start).root()
    except SourceError as error:
        if "not a git repository" in error.message:
            return None
        raise
