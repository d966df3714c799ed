"""Files beneath a folder, opened from folder to folder: a link on the way leads nowhere, whoever put it there when."""

from __future__ import annotations

import os
from typing import NoReturn

_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0)


class Beneath:
    """Opens files in the order of their folders; keeps the folders on the way to the last one open."""

    def __init__(self, top: str) -> None:
        """Open files beneath ``top``, a path that may lead over links."""
        self._top = top or "."
        self._names: list[str] = []
        self._folders: list[int] = []  # that of top, then one for each name
        self._last = ""

    def open(self, path: str) -> int:
        """Open the file ``path``, relative to the top. Raises OSError, also for a link."""
        folder, name = self._place(path)
        return os.open(name, _FILE, dir_fd=folder)

    def link(self, path: str) -> str | None:
        """Give where the link ``path`` leads, None for what is no link. Raises OSError."""
        folder, name = self._place(path)
        try:
            return os.readlink(name, dir_fd=folder)
        except OSError:
            return None

    def _place(self, path: str) -> tuple[int, str]:
        folder, _, name = path.rpartition("/")
        if folder != self._last or not self._folders:
            self._enter(folder.split("/") if folder else [])
            self._last = folder
        return self._folders[-1], name

    def _enter(self, names: list[str]) -> None:
        if not self._folders:
            self._folders.append(os.open(self._top, os.O_RDONLY))
        shared = 0
        for ours, wanted in zip(self._names, names, strict=False):
            if ours != wanted:
                break
            shared += 1
        self._leave(shared)
        for name in names[shared:]:
            self._folders.append(os.open(name, _FOLDER, dir_fd=self._folders[-1]))
            self._names.append(name)

    def _leave(self, depth: int) -> None:
        """Close the folders below the first ``depth`` names."""
        self._last = "\0"  # no path: until all of the next are open, none is
        while len(self._names) > depth:
            self._names.pop()
            os.close(self._folders.pop())

    def close(self) -> None:
        """Close all."""
        self._leave(0)
        while self._folders:
            os.close(self._folders.pop())

    def __del__(self) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("open files are not pickled")
