"""The place that runs git: plumbing by subprocess, with the repository's own programs switched off (``gitsafety``)."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from hygiene import gitsafety
from hygiene.errors import SourceError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

PATIENCE = 30.0  # seconds in which git finds out where it is, on the busiest machine
_PIPE_BYTES = 1 << 20


class Git:
    """Git in one repository."""

    def __init__(self, folder: Path) -> None:
        """Work in ``folder``: a working tree, a folder of one, or a bare repository."""
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        """Build the command line for ``arguments``."""
        return gitsafety.command(*arguments)

    def environment(self) -> dict[str, str]:
        """Build the environment that git runs in; GIT_DIR, GIT_INDEX_FILE and the quarantine are kept."""
        return gitsafety.environment()

    def run(
        self, *arguments: str, stdin: bytes | None = None, ok: Sequence[int] = (0,), timeout: float | None = None
    ) -> bytes:
        """Run git and give its output; raises :class:`SourceError` with git's own words and a hint.

        ``timeout``: seconds, for a call that only reads the configuration: that may lead to a pipe that nobody fills.
        """
        try:
            done = subprocess.run(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment(),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise SourceError(
                f"git gives no answer in {self.folder}",
                hint="is its configuration, or a file that this includes, a pipe?",
            ) from error
        except FileNotFoundError as error:
            raise SourceError("git is not installed, or the folder is gone", hint="install git") from error
        except OSError as error:
            raise SourceError(f"cannot run git in {self.folder}: {error.strerror}") from error
        if done.returncode not in ok:
            raise git_error(self.folder, done.stderr)
        return done.stdout

    def start(self, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start git with its output on a pipe and its complaints in the file ``complaints_of`` reads."""
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        try:
            process = subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment(),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=complaints,
                bufsize=_PIPE_BYTES,
            )
        except OSError as error:
            complaints.close()
            raise SourceError(f"cannot run git in {self.folder}: {error.strerror}", hint="install git") from error
        process.stderr = complaints
        _widen(process.stdout)
        return process

    def fields(self, *arguments: str, stdin: bytes = b"", separator: bytes = b"\0") -> Iterator[bytes]:
        """Run git on ``stdin`` and give the fields of its output as they come; raises :class:`SourceError`."""
        with spooled(stdin) as source:
            process = self.start(*arguments, stdin=source)
        yield from self.fields_of(process, separator)

    def fields_of(self, process: subprocess.Popen[bytes], separator: bytes = b"\0") -> Iterator[bytes]:
        """Give the fields of what a started git writes as they come; raises :class:`SourceError`."""
        try:
            yield from _split(process, separator)
            if process.wait():
                raise git_error(self.folder, complaints_of(process))
        finally:
            stop(process)

    def line(self, *arguments: str) -> str:
        """Run git and give its one line of output, which takes no time to find."""
        return os.fsdecode(self.run(*arguments, timeout=PATIENCE)).rstrip("\n")

    def root(self) -> Path:
        """Give the top of the working tree, or the git directory of a bare repository."""
        bare = self.line("rev-parse", "--is-bare-repository") == "true"
        return Path(self.line("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel"))

    def common_dir(self) -> Path:
        """Give the git directory that all worktrees share."""
        return (self.folder / self.line("rev-parse", "--git-common-dir")).resolve()

    def hooks_folder(self) -> Path:
        """Give the folder that git runs hooks from, as configured; work in the working tree's top for this."""
        listing = self.run("config", "--show-scope", "-z", "--type=path", "--get-all", "core.hooksPath", ok=(0, 1))
        parts = listing.split(b"\0")
        # Our own override is in the list too, with the scope "command".
        configured = [path for scope, path in zip(parts[::2], parts[1::2], strict=False) if scope != b"command"]
        return (self.folder / os.fsdecode(configured[-1])).resolve() if configured else self.common_dir() / "hooks"


def spooled(data: bytes) -> IO[bytes]:
    """Put ``data`` (ids and revisions, never contents) in an unnamed file: git may read it as slowly as it likes."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - for the caller to close
    file.write(data)
    file.seek(0)
    return file


def _split(process: subprocess.Popen[bytes], separator: bytes) -> Iterator[bytes]:
    assert process.stdout is not None
    rest = b""
    while chunk := os.read(process.stdout.fileno(), _PIPE_BYTES):
        *fields, rest = (rest + chunk).split(separator)
        yield from fields
    if rest:
        yield rest


def complaints_of(process: subprocess.Popen[bytes]) -> bytes:
    """Give what a process of :meth:`Git.start` wrote to its standard error, at most 64 KiB."""
    if process.stderr is None:
        return b""
    process.stderr.seek(0)
    return process.stderr.read(1 << 16)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process of :meth:`Git.start` and close its files."""
    process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):  # unsent commands to a process that is gone
                stream.close()
    process.wait()


def _widen(pipe: IO[bytes] | None) -> None:
    """Ask the kernel for a larger pipe: fewer switches between git and us (Linux only, best effort)."""
    if fcntl is not None and pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


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
    if "Needed a single revision" in words or "bad revision" in words:
        return SourceError(f"git finds no such commit in {folder}", hint="is the name right? git fetch may bring it")
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
