"""Atomic, durable file writes, and the private folders that our own data lives in."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hygiene.errors import ConflictError, WriteError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_TEMPORARY_PREFIX = ".hygiene-tmp-"

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space and run the command again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and run the command again"),
    errno.EROFS: ("the file system is read-only", "mount it writable or choose another place"),
    errno.EACCES: ("permission denied", "check the owner and mode of the folder"),
    errno.EPERM: ("operation not permitted", "check the owner and mode of the folder"),
}


def write_error(path: Path, error: OSError) -> WriteError:
    """Translate ``error`` from writing ``path`` into one with a cause and a hint."""
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), "check the path and try again"))
    return WriteError(f"cannot write {path}: {reason}", hint=hint)


def write_atomic(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace ``path`` by ``content``: a reader sees the old or the new bytes, also after a power cut.

    ``mode`` defaults to the mode of the file that is replaced, or 0600 for a new one. A device or a pipe is written
    into: nothing can stand in its place. Raises :class:`WriteError`; the old content is then intact.
    """
    if _is_stream(path):
        return _write_stream(path, content)
    if mode is None:
        mode = _mode_of(path)
    temporary = path.with_name(_TEMPORARY_PREFIX + os.urandom(8).hex())
    try:
        _write_new(temporary, content, mode)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        _remove(temporary)
        raise write_error(path, error) from error
    except BaseException:
        _remove(temporary)
        raise


def _is_stream(path: Path) -> bool:
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(kind) or stat.S_ISFIFO(kind)


def _write_stream(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            _write_all(descriptor, content)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise write_error(path, error) from error


def create_exclusive(path: Path, content: bytes, *, mode: int = PRIVATE_FILE) -> bool:
    """Create ``path`` durably unless it exists; says whether it did. Raises :class:`WriteError`.

    The content appears whole or not at all: a hard link from a complete file makes the name.
    """
    temporary = path.with_name(_TEMPORARY_PREFIX + os.urandom(8).hex())
    try:
        _write_new(temporary, content, mode)
        os.link(temporary, path)
        sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        _remove(temporary)
    return True


def _remove(temporary: Path) -> None:
    """Remove a temporary file that may not be there, nor its folder; what went wrong before is what is told."""
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


def append_durable(path: Path, line: bytes) -> None:
    """Append ``line`` to the private file ``path`` and sync it.

    A short write (full disk) is cut off again, so that no torn line stays. Raises :class:`WriteError`.
    """
    _append(path, line, os.fsync)


def append(path: Path, line: bytes) -> None:
    """Append ``line`` as :func:`append_durable` does, and leave it to a later sync of the file to make it durable."""
    _append(path, line, lambda _: None)


def _append(path: Path, line: bytes, sync: Callable[[int], None]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            before = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, line)
                sync(descriptor)
            except OSError:
                os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
        if before == 0:
            sync_folder(path.parent)
    except OSError as error:
        raise write_error(path, error) from error


def make_private_folder(path: Path) -> Path:
    """Make ``path``, and those of its parents that are missing, private to the user. Raises :class:`WriteError`."""
    try:
        # mkdir(parents=True) would make the parents readable to all.
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    except OSError as error:
        raise write_error(path, error) from error
    return path


def refuse_shared(folder: Path) -> None:
    """Raise :class:`WriteError` where anybody may replace what lies in ``folder``, which then vouches for nothing."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return  # whoever writes there says what is wrong
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise WriteError(
            f"anybody may write in {folder}, so nothing there can be trusted", hint=f"chmod o-w {folder}, then look"
        )


def is_private(path: Path) -> bool:
    """Say whether ``path`` belongs to this user and nobody else may write it."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def sweep_temporary(folder: Path) -> int:
    """Remove temporary files that a killed run left in ``folder``; gives their number."""
    count = 0
    for leftover in folder.glob(_TEMPORARY_PREFIX + "*"):
        leftover.unlink(missing_ok=True)
        count += 1
    return count


def sync_folder(folder: Path) -> None:
    """Make renames and new names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, *, exclusive: bool = True, wait: bool = True) -> Iterator[None]:
    """Hold an advisory lock on ``path`` (created if absent).

    Other holders are waited for, or with ``wait=False`` are a :class:`hygiene.errors.ConflictError`.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    except OSError as error:
        raise write_error(path, error) from error
    try:
        _lock(path, descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def _lock(path: Path, descriptor: int, operation: int) -> None:
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        raise ConflictError(
            f"another process works here: it holds {path}", hint="wait for it, then try again"
        ) from None


def _mode_of(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return PRIVATE_FILE


def _write_new(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        _write_all(descriptor, content)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
