"""The bytes of git objects, as fast as ``git cat-file`` gives them.

One git process lives as long as its reader: a fresh one a batch would start cold, with its cache of delta bases
empty. Git older than 2.36 has no ``--batch-command`` and does get a process a batch.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from hygiene.detect.sources.protocol import WINDOW, Blob, Item
from hygiene.detect.sources.windows import windows
from hygiene.errors import SourceError
from hygiene.finding import Skipped
from hygiene.git import Git, complaints_of, spooled, stop

_FEW = 64  # objects of a small commit: to ask git for its version would take as long as to read them
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class ObjectReader:
    """Reads objects of one repository; not for sharing between processes or threads."""

    def __init__(self, git: Git) -> None:
        """Read from ``git``; the process starts with the first read."""
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None
        self._commands: bool | None = None
        self._once = True  # the process answers one batch, then ends
        self._owner = os.getpid()
        self.skipped: list[Skipped] = []

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the objects ``items``, in order; missing and broken ones are noted in ``skipped``."""
        pending = list(items)
        while pending:
            try:
                yield from self._answers(pending)
            except _GitDied as death:
                self._note(pending[death.answered])
                pending = pending[death.answered + 1 :]
            except BaseException:
                self.close()  # half an answer is in the pipe: the process can't be used again
                raise
            else:
                return

    def _answers(self, items: list[Item]) -> Iterator[Blob]:
        stream = self._ask(items)
        line, read = stream.readline, stream.read
        for index, (name, _, path) in enumerate(items):
            header = line()
            try:
                size = int(header[header.rindex(b" ") + 1 :])
            except ValueError:
                if not header.endswith(b" missing\n"):
                    raise _GitDied(index) from None
                self.skipped.append(Skipped(path or name, f"object {name} is missing"))
                continue
            if size > WINDOW:
                yield from windows(_limited(stream, index, size), name, path)
            else:
                data = read(size)
                if len(data) != size:
                    raise _GitDied(index)
                yield Blob(name, data, path)
            if line() != b"\n":
                raise _GitDied(index)
        if self._once:
            self.close()

    def _ask(self, items: list[Item]) -> IO[bytes]:
        for item in items:
            if not _OBJECT_ID.fullmatch(item.id):
                raise SourceError(f"{item.id!r} is not a git object id")
        self._once = not ((self._process or len(items) > _FEW) and self._speaks_commands())
        if not self._once:
            process = self._process or self._git.start("cat-file", "--batch-command", "--buffer", stdin=subprocess.PIPE)
            self._process = process
            wanted = "".join(f"contents {item.id}\n" for item in items) + "flush\n"
            assert process.stdin is not None
            try:
                process.stdin.write(wanted.encode())
                process.stdin.flush()
            except BrokenPipeError:
                raise _GitDied(0) from None
        else:
            self.close()
            with spooled("".join(f"{item.id}\n" for item in items).encode()) as ids:
                process = self._process = self._git.start("cat-file", "--batch", "--buffer", stdin=ids)
        assert process.stdout is not None
        return process.stdout

    def _speaks_commands(self) -> bool:
        if self._commands is None:
            version = re.search(rb"(\d+)\.(\d+)", self._git.run("version"))
            self._commands = version is not None and (int(version[1]), int(version[2])) >= (2, 36)
        return self._commands

    def _note(self, item: Item) -> None:
        words = complaints_of(self._process) if self._process else b""
        self.close()
        lines = os.fsdecode(words).strip().splitlines()
        reason = lines[-1] if lines else "git ended without a word"
        self.skipped.append(Skipped(item.path or item.id, f"object {item.id} can't be read: {reason[:300]}"))

    def close(self) -> None:
        """End the git process."""
        if self._process is not None:
            stop(self._process)
            self._process = None

    def __del__(self) -> None:
        if self._owner == os.getpid():  # a fork must not end its parent's git
            self.close()


def _limited(stream: IO[bytes], index: int, size: int) -> Callable[[int], bytes]:
    left = size

    def read(count: int) -> bytes:
        nonlocal left
        data = stream.read(min(count, left))
        if not data and left:
            raise _GitDied(index)
        left -= len(data)
        return data

    return read


class _GitDied(Exception):
    """Git ended, or lost its thread, before it had answered item number ``answered``."""

    def __init__(self, answered: int) -> None:
        self.answered = answered
