"""Texts that are already here, such as the parts of a message: nothing is read, each has a name of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hygiene.detect.sources.protocol import Blob, Item
from hygiene.finding import Provenance, Skipped


class Text(NamedTuple):
    """One text."""

    name: str  # unique among the texts; the blob's id
    data: bytes
    path: str = ""  # of the file that it is for, which says how it is to be read


class MemorySource:
    """Gives the texts that it was made with."""

    commits = 0

    def __init__(self, texts: Iterable[Text]) -> None:
        """Hold ``texts``."""
        self._texts = {text.name: text for text in texts}

    def items(self) -> Iterable[Item]:
        """List the texts."""
        return [Item(text.name, len(text.data), text.path) for text in self._texts.values()]

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the texts ``items``."""
        for item in items:
            yield Blob(item.id, self._texts[item.id].data, item.path)

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the path, or the name, of each text as its place."""
        return {name: (Provenance("stdin", self._texts[name].path or name),) for name in ids}

    def skipped(self) -> Sequence[Skipped]:
        """Give nothing: all is here."""
        return ()
