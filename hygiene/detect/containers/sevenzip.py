"""7z archives, by py7zr where it is installed. It hands over whole files only, so it gets them by the armful."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib import import_module
from typing import IO, Any

from hygiene.detect.containers.budget import Budget
from hygiene.detect.containers.compressed import HINT, MissingLibrary
from hygiene.detect.containers.member import Member, shown


def members(stream: IO[bytes], path: str, budget: Budget) -> Iterator[Member]:
    """Give the files in the 7z archive ``stream``; raises MissingLibrary, and py7zr's errors."""
    try:
        library: Any = import_module("py7zr")
    except ImportError:
        raise MissingLibrary(f"7z archives need the library py7zr; {HINT}") from None
    try:
        yield from _members(library, stream, path, budget)
    except library.exceptions.ArchiveError as error:
        budget.leave(path, f"the archive is damaged: {error}")


def _members(library: Any, stream: IO[bytes], path: str, budget: Budget) -> Iterator[Member]:
    with library.SevenZipFile(stream, "r") as archive:
        if archive.needs_password():
            budget.leave(path, "the archive is encrypted")
            return
        entries = [entry for entry in archive.list() if not entry.is_directory]
    for armful in _armfuls(entries, path, budget):
        stream.seek(0)
        collector = _Collector()
        with library.SevenZipFile(stream, "r") as archive:
            archive.extract(targets=armful, factory=collector)
        for name, data in collector.files.items():
            yield Member(f"{path}!/{shown(name)}", data)


def _armfuls(entries: list[Any], path: str, budget: Budget) -> Iterator[list[str]]:
    """Give names of entries that together may be held."""
    names: list[str] = []
    size = 0
    for entry in entries:
        budget.enter()
        if entry.uncompressed > budget.limits.held:
            budget.leave(f"{path}!/{shown(entry.filename)}", f"larger than {budget.limits.held >> 20} MiB, inside a 7z")
            continue
        if names and size + entry.uncompressed > budget.limits.held:
            yield names
            names, size = [], 0
        names.append(entry.filename)
        size += entry.uncompressed
    if names:
        yield names


class _Collector:
    """What py7zr writes into."""

    def __init__(self) -> None:
        self.files: dict[str, io.BytesIO] = {}

    def create(self, filename: str) -> _File:
        file = self.files[filename] = _File()
        return file


class _File(io.BytesIO):
    """One unpacked file. py7zr asks for its size, and closes it before we have read it."""

    def close(self) -> None:
        self.seek(0)

    def size(self) -> int:
        return self.getbuffer().nbytes
