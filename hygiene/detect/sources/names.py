"""File names and ref names, which leak too: a name that could hold a token is an item of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from hygiene.detect.sources.protocol import Blob, Item

FILE = "name:"
REF = "ref:"
_LEAST = 16  # bytes
_TOKEN = re.compile(rb"[A-Za-z0-9+=_~.-]{%d,}" % _LEAST)
_DIGIT = re.compile(rb"[0-9]")


def telling(name: bytes) -> bool:
    """Say whether ``name`` has a part long and mixed enough to be a credential."""
    return len(name) >= _LEAST and any(_DIGIT.search(part) for part in _TOKEN.findall(name))


def name_items(paths: Iterable[str], kind: str = FILE) -> Iterator[Item]:
    """Give an item for each of ``paths`` (of ``kind`` FILE or REF) that could hold a credential."""
    for path in paths:
        if len(path) >= _LEAST and telling(os.fsencode(path)):
            yield Item(kind + path, len(path), path)


class NamesBelow:
    """Chooses the paths to be looked at as names, where a folder's name need not be looked at with each file in it."""

    def __init__(self) -> None:
        """Begin with no folder known."""
        self._known = {""}
        self._last = ""

    def is_telling(self, path: str) -> bool:
        """Say whether ``path`` has a name that could hold a credential, and that no path before had."""
        folder, _, name = path.rpartition("/")
        is_new = folder != self._last and self._has_new(folder)
        self._last = folder
        return is_new or (len(name) >= _LEAST and telling(os.fsencode(name)))

    def _has_new(self, folder: str) -> bool:
        found = False
        while folder not in self._known:
            self._known.add(folder)
            folder, _, name = folder.rpartition("/")
            found |= telling(os.fsencode(name))
        return found


def named_path(identity: str, kind: str = FILE) -> str | None:
    """Give the path of an item made by :func:`name_items` for ``kind``, None for other ids."""
    return identity[len(kind) :] if identity.startswith(kind) else None


def by_kind(items: Sequence[Item]) -> Iterator[tuple[bool, list[Item]]]:
    """Part ``items``, in their order, into runs of names (True) and of other items."""
    for are_names, run in groupby(items, key=lambda item: item.id.startswith((FILE, REF))):
        yield are_names, list(run)


def name_blobs(items: Sequence[Item]) -> Iterator[Blob]:
    """Give the blobs of ``items``, all of them names."""
    for item in items:
        yield Blob(item.id, os.fsencode(item.path), item.path)
