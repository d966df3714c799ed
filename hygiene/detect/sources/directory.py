"""The files of a folder, as they lie there. Symlinks are read as the text they hold and never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path

from hygiene.detect.sources.beneath import Beneath
from hygiene.detect.sources.names import FILE, NamesBelow, name_blobs, named_path
from hygiene.detect.sources.protocol import WINDOW, Blob, Item
from hygiene.detect.sources.windows import windows
from hygiene.errors import SourceError
from hygiene.finding import Provenance, Skipped
from hygiene.git import Git

_PREFIX = "path:"
_by_name = attrgetter("name")
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class DirectorySource:
    """A folder, or one file."""

    commits = 0

    def __init__(self, folder: Path, *, ignored: bool = True, below: str = "") -> None:
        """Read ``folder``, or what is at ``below`` in it; without ``ignored``, leave out what git ignores there."""
        self._top = folder if folder.is_dir() else folder.parent
        self._only = None if folder.is_dir() else folder.name
        self._below = ""
        if below and (self._top / below).is_dir():
            self._below = below.rstrip("/") + "/"
        elif below:
            self._only = below
        self._ignored = ignored
        # What the user has named may lie behind links; what is found beneath may not.
        self._named = self._below or (self._only or "").rpartition("/")[0]
        self._beneath: Beneath | None = None
        self._skipped: list[Skipped] = []
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_skipped": [], "_beneath": None}

    def items(self) -> Iterable[Item]:
        """List the files, by folder; paths are relative to the folder, and begin with ``below``."""
        names = NamesBelow()
        for path, size in self._files():
            yield Item(_PREFIX + path, size, path)
            if names.is_telling(path):
                yield Item(FILE + path, len(path), path)

    def _files(self) -> Iterator[tuple[str, int]]:
        if self._only is not None:
            yield self._only, self._size(self._only)
        elif self._ignored:
            yield from self._walk()
        else:
            options = ("-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--full-name")
            listing = Git(self._top).run("ls-files", *options, "--", f":(literal){self._below}" if self._below else ".")
            for name in listing.split(b"\0"):
                path = os.fsdecode(name)
                if path and os.path.lexists(self._top / path) and not self._is_folder(path):
                    yield path, self._size(path)

    def _is_folder(self, path: str) -> bool:
        return stat.S_ISDIR((self._top / path).lstat().st_mode)  # a submodule, or a repository inside this one

    def _size(self, path: str) -> int:
        try:
            return (self._top / path).lstat().st_size
        except OSError as error:
            raise SourceError(f"cannot read {self._top / path}: {error.strerror}") from error

    def _walk(self) -> Iterator[tuple[str, int]]:
        folders = [self._below]
        while folders:
            folder = folders.pop()
            try:
                entries = sorted(os.scandir(os.path.join(self._top, folder)), key=_by_name)  # noqa: PTH118
            except OSError as error:
                self._leave(folder or ".", f"the folder can't be read: {error.strerror}")
                continue
            below = []
            for entry in entries:
                path = f"{folder}{entry.name}"
                if entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    yield path, self._entry_size(entry)
                elif not entry.is_dir(follow_symlinks=False):
                    self._odd(path)
                elif entry.name != ".git":
                    below.append(f"{path}/")
            folders.extend(reversed(below))

    @staticmethod
    def _entry_size(entry: os.DirEntry[str]) -> int:
        try:
            return entry.stat(follow_symlinks=False).st_size
        except OSError:
            return 0  # reading it will tell why

    def _odd(self, path: str) -> None:
        try:
            mode = (self._top / path).lstat().st_mode
        except OSError as error:
            return self._leave(path, f"can't be read: {error.strerror}")
        kind = next((words for test, words in _KINDS if test(mode)), "not a file")
        self._leave(path, f"{kind}, not a file", incomplete=False)

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of the files; a symlink's are its target."""
        if os.getpid() != self._process:  # a fork of the process that listed: that one's notes are not ours
            self._process, self._skipped = os.getpid(), []
        if self._beneath is None:
            self._beneath = Beneath(os.path.join(self._top, self._named))  # noqa: PTH118
        begin = len(self._named) + (bool(self._named) and not self._named.endswith("/"))
        beneath = self._beneath
        for item in items:
            try:
                if not item.id.startswith(_PREFIX):
                    yield from name_blobs((item,))
                elif (data := _whole(beneath, item.path[begin:])) is not None:
                    yield Blob(item.id, data, item.path)
                else:
                    yield from self._read(beneath, item.path[begin:], item)
            except OSError as error:
                self._leave(item.path, f"can't be read: {error.strerror}")

    def _read(self, beneath: Beneath, path: str, item: Item) -> Iterator[Blob]:
        """Read what is not simply a file of a few bytes."""
        if (target := beneath.link(path)) is not None:
            yield Blob(item.id, os.fsencode(target), item.path)
            return
        file = beneath.open(path)
        try:
            if stat.S_ISREG(os.fstat(file).st_mode):  # empty by name (procfs), large, or changing under our hands
                yield from windows(lambda count: os.read(file, count), item.id, item.path)
            else:
                self._odd(item.path)
        finally:
            os.close(file)

    def _leave(self, path: str, reason: str, *, incomplete: bool = True) -> None:
        self._skipped.append(Skipped(path, reason, incomplete))

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the one place of each file."""
        return {name: (Provenance("file", named_path(name) or name.removeprefix(_PREFIX)),) for name in ids}

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        found, self._skipped = self._skipped, []
        return found


def _whole(beneath: Beneath, path: str) -> bytes | None:
    """Give the bytes of a regular file that is not empty and no longer than a window, None for all else."""
    try:
        file = beneath.open(path)
    except OSError:
        return None  # a link, or one that can't be read: looking again will tell
    try:
        status = os.fstat(file)
        size = status.st_size
        if stat.S_ISREG(status.st_mode) and 0 < size < WINDOW and len(data := os.read(file, size + 1)) == size:
            return data
        return None
    finally:
        os.close(file)
