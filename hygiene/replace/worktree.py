"""The working tree that a migration changes: what may be touched, and what is left with a reason."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hygiene.errors import SourceError, UsageError
from hygiene.fileio import sweep_temporary, write_atomic
from hygiene.git import Git
from hygiene.replace.edits import digest

_LARGEST = 20_000_000  # a larger file is data, and parsing it would take all memory


class Worktree:
    """The files of one repository's working tree."""

    def __init__(self, root: Path) -> None:
        """Work in ``root``, the top of a working tree."""
        self.root = root
        self.git = Git(root)

    def path(self, name: str) -> Path:
        """Give the file called ``name`` (forward slashes, from the root)."""
        return self.root / os.fsdecode(name.encode("utf-8", "surrogateescape"))

    def read(self, name: str) -> bytes | None:
        """Read a file, or give None where there is none; raises :class:`SourceError`."""
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(f"cannot read {name}: {error.strerror}") from error

    def content(self, name: str) -> bytes | str:
        """Give the bytes of a file that may be changed, or the reason why it may not."""
        path = self.path(name)
        problem = self._problem(path)
        if problem:
            return problem
        try:
            return path.read_bytes()
        except OSError as error:
            return f"it can't be read: {error.strerror}"

    def write(self, name: str, content: bytes) -> None:
        """Replace a file, keeping its mode; a new one gets the mode that new files get."""
        path = self.path(name)
        write_atomic(path, content, mode=None if path.exists() else 0o666 & ~_umask())

    def sweep(self, names: Iterable[str]) -> None:
        """Remove what a killed run left beside the files ``names``."""
        for folder in {self.path(name).parent for name in names}:
            sweep_temporary(folder)

    def hash(self, name: str) -> str:
        """Give the hash of a file's bytes, or an empty text where there is none."""
        content = self.read(name)
        return "" if content is None else digest(content)

    def changed(self, names: Iterable[str], *, staged_too: bool = True) -> list[str]:
        """Give those of the tracked files ``names`` that differ from the last commit.

        Without ``staged_too``, only those of whose changes nothing is staged.
        """
        listing = self.git.run("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames")
        entries = [entry for entry in listing.split(b"\0") if entry and (staged_too or entry[:1] == b" ")]
        return sorted(set(names) & {os.fsdecode(entry[3:]) for entry in entries})

    def untracked(self, names: Iterable[str]) -> set[str]:
        """Give those of ``names`` that git does not track."""
        wanted = set(names)
        tracked = {os.fsdecode(entry) for entry in self.git.run("ls-files", "-z").split(b"\0") if entry}
        return wanted - tracked

    def committed(self, commit: str, name: str) -> bytes | None:
        """Give a file's bytes as ``commit`` has them, or None."""
        if not commit:
            return None
        try:
            return self.git.run("cat-file", "blob", f"{commit}:{name}")
        except SourceError:
            return None

    def head(self) -> str:
        """Give the last commit's id, or an empty text before the first."""
        return self.git.run("rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1)).decode().strip()

    def _problem(self, path: Path) -> str:
        if path.is_symlink():
            return "it is a symbolic link"
        try:
            inside = path.resolve().is_relative_to(self.root.resolve())
            status = path.stat()
        except OSError as error:
            return f"it can't be read: {error.strerror}"
        if not inside:
            return "it lies outside of the repository"
        if any(
            (folder / ".git").exists() for folder in path.parents if folder != self.root and self.root in folder.parents
        ):
            return "it belongs to a submodule: run migrate there"
        if not status.st_mode & 0o200:
            return "it is read-only"
        return "it is too large" if status.st_size > _LARGEST else ""


def open_worktree(start: Path) -> Worktree:
    """Open the working tree that ``start`` lies in; raises :class:`SourceError` or :class:`UsageError`."""
    git = Git(start if start.is_dir() else start.parent)
    root = git.root()
    if git.line("rev-parse", "--is-bare-repository") == "true":
        raise UsageError("a bare repository has no files to migrate", hint="run it in a clone")
    return Worktree(root)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
