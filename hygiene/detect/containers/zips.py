"""The zip family: zip, jar, war, whl, apk, nupkg, and the documents of office programs."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from typing import IO

from hygiene.detect.containers.budget import Budget
from hygiene.detect.containers.compressed import ERRORS
from hygiene.detect.containers.member import Member, shown

_ENCRYPTED = 0x1
_LARGEST_DIRECTORY = 24 << 20  # bytes of the list of entries, which becomes ten times as long in memory
_SIZE = 5  # where zipfile keeps that length


def members(stream: IO[bytes], path: str, budget: Budget) -> Iterator[Member]:
    """Give the files in the zip archive ``stream``; what can't be read is noted in ``budget``."""
    end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
    if end and end[_SIZE] > _LARGEST_DIRECTORY:
        budget.leave(path, f"a list of entries of {end[_SIZE] >> 20} MiB: too long to be held")
        return
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            budget.enter()
            inner = f"{path}!/{shown(info.filename)}"
            if info.is_dir():
                continue
            if info.flag_bits & _ENCRYPTED:
                budget.leave(inner, "the entry is encrypted")
                continue
            yield from _member(archive, info, inner, budget)
        if archive.comment:
            yield Member.of(f"{path}!/(comment)", archive.comment)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str, budget: Budget) -> Iterator[Member]:
    try:
        with archive.open(info) as file:
            yield Member(path, file, text=stat.S_ISLNK(info.external_attr >> 16))
    except NotImplementedError as error:
        budget.leave(path, f"can't be unpacked: {error}")
    except (zipfile.BadZipFile, *ERRORS) as error:
        budget.leave(path, f"the entry is damaged: {error}")
