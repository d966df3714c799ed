"""Patches, as ``git diff``, ``git format-patch`` and ``diff -u`` write them (the unified format of POSIX diff)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import IO

from hygiene.detect.sources.protocol import Blob
from hygiene.finding import Skipped

_START = re.compile(rb"^(?:diff --(?:git|cc|combined) |--- [^\n]*\n\+\+\+ [^\n]*\n@@ -)", re.M)
_HUNK = re.compile(rb"@@+((?: -\d+(?:,\d+)?)+) \+(\d+)(?:,(\d+))? @@+")  # of a merge: one more @, one old side a parent
_OLD = re.compile(rb" -\d+(?:,(\d+))?")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_LONGEST = 8 << 20  # bytes of added lines that are kept together


def is_patch(head: bytes) -> bool:
    """Say whether what begins with ``head`` is a patch."""
    return _START.search(head[: 1 << 20]) is not None


def patch_blobs(head: bytes, rest: IO[bytes], prefix: str, skipped: list[Skipped]) -> Iterator[Blob]:
    """Give a blob for each run of added lines in ``head`` followed by ``rest``; its id is ``prefix`` and the path.

    ``line`` is the line in the new file; ``start`` is the offset of the run in the patch, unique within a file. What
    stands before the first file (a mail's message) is a blob too. Binary patches go to ``skipped``.
    """
    return _Patch(prefix, skipped).blobs(_lines(head, rest))


def _lines(head: bytes, rest: IO[bytes]) -> Iterator[bytes]:
    lines = io.BytesIO(head)
    for line in lines:
        yield line if line.endswith(b"\n") else line + rest.readline()
    yield from rest


class _Patch:
    def __init__(self, prefix: str, skipped: list[Skipped]) -> None:
        self._prefix = prefix
        self._skipped = skipped
        self._path = ""
        self._run: list[bytes] = []
        self._length = 0
        self._run_start = 0
        self._line = 1  # of the next line of the new file
        self._olds: list[int] = []  # lines that the hunk still has, of each old side …
        self._new = 0  # … and of the new one

    def blobs(self, lines: Iterable[bytes]) -> Iterator[Blob]:
        offset = 0
        for line in lines:
            if self._new > 0 or any(left > 0 for left in self._olds):
                yield from self._hunk_line(line, offset)
            else:
                yield from self._outside(line, offset)
            offset += len(line)
        yield from self._flush()

    def _outside(self, line: bytes, offset: int) -> Iterator[Blob]:
        if hunk := _HUNK.match(line):
            yield from self._flush()
            self._olds = [int(old or 1) for old in _OLD.findall(hunk[1])]
            self._new = int(hunk[3] or 1)
            self._line = int(hunk[2])
        elif line.startswith(b"+++ "):
            yield from self._flush()
            self._path = _path(line[4:]) or self._path
        elif line.startswith(b"diff --git "):
            yield from self._flush()
            self._path = _path(line.rstrip(b"\n").rpartition(b" ")[2])
        elif line.startswith((b"diff --cc ", b"diff --combined ")):
            yield from self._flush()
            self._path = _path(line.split(b" ", 2)[2])
        elif line.startswith((b"GIT binary patch", b"Binary files ")):
            self._skipped.append(Skipped(self._path, "the patch holds it only in binary form"))
        elif not line.startswith((b"--- ", b"index ", b"\\")):
            self._add(line, offset)  # a mail's headers and message, and extended headers with their names
            self._line += 1

    def _hunk_line(self, line: bytes, offset: int) -> Iterator[Blob]:
        """Read a line of a hunk: a column a parent says whether that has it, and whether the new side has."""
        columns = line[: len(self._olds)]
        gone = b"-" in columns
        if b"+" in columns and not gone:
            self._add(line[len(columns) :], offset + len(columns))
        else:
            yield from self._flush()
        if not columns.startswith(b"\\"):
            mark = b"-" if gone else b" "
            # Mails lose the blank of an empty line.
            self._olds = [
                left - (columns[at : at + 1] in (mark, b"\n", b"\r", b"")) for at, left in enumerate(self._olds)
            ]
            self._new -= not gone
            self._line += not gone
        if self._length > _LONGEST or (self._new <= 0 and all(left <= 0 for left in self._olds)):
            yield from self._flush()

    def _add(self, line: bytes, offset: int) -> None:
        if not self._run:
            self._run_start = offset
        self._run.append(line)
        self._length += len(line)

    def _flush(self) -> Iterator[Blob]:
        if self._run:
            data, first = b"".join(self._run), self._line - len(self._run)
            self._run, self._length = [], 0
            yield Blob(self._prefix + self._path, data, self._path, self._run_start, max(first, 1))


def _path(name: bytes) -> str:
    """Give the path that a header names: without its a/ or b/, its quotes, and a tab with a date."""
    name = name.rstrip(b"\r\n")
    quoted = name.startswith(b'"')
    name = _ESCAPE.sub(_unescape, name.rstrip().strip(b'"')) if quoted else name.split(b"\t")[0]
    if name == b"/dev/null":
        return ""
    return name.removeprefix(b"b/").decode("utf-8", "surrogateescape")


def _unescape(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return _ESCAPED.get(code) or (bytes([int(code, 8) & 255]) if len(code) == 3 else code)
