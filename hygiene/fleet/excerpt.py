"""Parts of a source: a range of what it lists, to be matched, and what was matched, to be placed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from hygiene.detect.sources.protocol import Blob, Item, Source
from hygiene.finding import Provenance, Skipped

_PSEUDONYM = "#"


class Share:
    """A range of a source's items; what matches in it is noted and not placed."""

    def __init__(self, source: Source, part: int, parts: int) -> None:
        self._source = source
        self._part, self._parts = part, parts
        self._unusual: dict[str, Item] = {}  # items that are more than an object's id
        self._origins: dict[str, str] = {}  # ids of blobs that such an item gave
        self.matched: set[str] = set()
        self.listing = ""
        self.commits = 0

    def items(self) -> Iterable[Item]:
        """List the range, and note the digest of the whole listing."""
        everything = list(self._source.items())
        digest = hashlib.sha256()
        for item in everything:
            digest.update(item.id.encode("utf-8", "surrogateescape") + b"\n")
        self.listing = digest.hexdigest()[:40]
        first, last = (len(everything) * number // self._parts for number in (self._part, self._part + 1))
        if self._part == 0:
            self.commits = self._source.commits
        share = everything[first:last]
        self._unusual = {item.id: item for item in share if not _is_plain(item)}
        return share

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of ``items``."""
        for plain, run in groupby(items, key=_is_plain):
            if plain:
                yield from self._source.read(list(run))
                continue
            for item in run:
                for blob in self._source.read([item]):
                    self._origins[blob.id] = item.id
                    yield blob

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Note that something matched in ``ids``; their places are for another task."""
        for name in ids:
            origin = self._origins.get(name, name)
            self.matched.add(_pseudonym(origin) if origin in self._unusual else origin)
        return {name: (Provenance("object", ""),) for name in ids}

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        return self._source.skipped()


class Chosen:
    """Those items of a source in which something matched; all else is as the source has it."""

    def __init__(self, source: Source, ids: Sequence[str]) -> None:
        self._source = source
        self._ids = ids
        self.commits = 0

    def items(self) -> Iterable[Item]:
        """List what was chosen."""
        yield from (Item(name, 0, "") for name in self._ids if not name.startswith(_PSEUDONYM))
        wanted = {name for name in self._ids if name.startswith(_PSEUDONYM)}
        if wanted:
            unusual = (item for item in self._source.items() if not _is_plain(item))
            yield from (item for item in unusual if _pseudonym(item.id) in wanted)

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of ``items``."""
        return self._source.read(items)

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the places of ``ids``."""
        return self._source.provenance(ids)

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        return self._source.skipped()


def _is_plain(item: Item) -> bool:
    """Say whether an item is no more than an object's id; others have names in them, which may be values."""
    return not item.path and ":" not in item.id


def _pseudonym(identity: str) -> str:
    return _PSEUDONYM + hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:40]
