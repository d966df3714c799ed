"""File names and ref names, which leak too: a name that could hold a token is an item of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from hygiene.detect.sources.protocol import Blob, Item

FILE = "name:"
REF = "ref:"
_TOKEN = re.compile(rb"[A-Za-z0-9+=_~.-]{16,}")
_DIGIT = re.compile(rb"[0-9]")


def telling(name: bytes) -> bool:
    """Say whether ``name`` has a part long and mixed enough to be a credential."""
    return len(name) >= 16 and any(_DIGIT.search(part) for part in _TOKEN.findall(name))


def name_items(paths: Iterable[str], kind: str = FILE) -> Iterator[Item]:
    """Give an item for each of ``paths`` (of ``kind`` FILE or REF) that could hold a credential."""
    for path in paths:
        if len(path) >= 16 and telling(os.fsencode(path)):
            yield Item(kind + path, len(path), path)


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
