"""Archives, compressed files and container images: given by name, or met in any other source."""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hygiene.detect.containers.budget import Budget, Limits
from hygiene.detect.containers.opening import HEAD, is_container, unpack
from hygiene.detect.sources.directory import DirectorySource
from hygiene.detect.sources.protocol import WINDOW, Blob, Item, Source
from hygiene.errors import SourceError
from hygiene.finding import Provenance, Skipped

_PREFIX = "archive:"
_SEPARATOR = "!/"


class ArchiveSource:
    """One archive, compressed file or saved image; or a folder of them, such as an OCI layout."""

    commits = 0

    def __init__(self, path: Path, *, limits: Limits | None = None) -> None:
        """Read the file or folder ``path`` within ``limits``."""
        self._path = path
        self._limits = limits
        self._skipped: list[Skipped] = []
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_skipped": []}

    def items(self) -> Iterable[Item]:
        """List the files; what is inside shows when they are read. Raises SourceError for a file that is no archive."""
        if self._path.is_dir():
            folder = DirectorySource(self._path)
            for item in folder.items():
                if item.id.startswith("path:"):
                    yield item._replace(id=_PREFIX + item.path)
            self._skipped += folder.skipped()
            return
        try:
            with self._path.open("rb") as file:
                known, size = is_container(file.read(HEAD)), os.fstat(file.fileno()).st_size
        except OSError as error:
            raise SourceError(f"cannot read {self._path}: {error.strerror}") from error
        if not known:
            raise SourceError(f"{self._path} is no archive that is known here", hint="scan it as a file")
        yield Item(_PREFIX + self._path.name, size, self._path.name)

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the files in the archives, and in those inside of them."""
        if os.getpid() != self._process:  # a fork of the process that listed: that one's notes are not ours
            self._process, self._skipped = os.getpid(), []
        for item in items:
            file = self._path / item.path if self._path.is_dir() else self._path
            try:
                with file.open("rb") as stream:
                    budget = Budget(os.fstat(stream.fileno()).st_size, self._limits)
                    for blob in unpack(stream, item.path, budget):
                        yield blob._replace(id=_PREFIX + blob.id)
                    self._skipped += budget.skipped
            except OSError as error:
                self._skipped.append(Skipped(item.path, f"can't be read: {error.strerror}"))

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the path inside the archive of each of ``ids``."""
        return {name: (Provenance("archive", name.removeprefix(_PREFIX)),) for name in ids}

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        found, self._skipped = self._skipped, []
        return found


class Unpacked:
    """Another source, with what is inside the archives that it holds."""

    def __init__(self, source: Source, *, limits: Limits | None = None) -> None:
        """Read ``source``, and unpack within ``limits`` what of it is an archive."""
        self._source = source
        self._limits = limits
        self._skipped: list[Skipped] = []
        self._process = os.getpid()

    @property
    def commits(self) -> int:
        """How many commits the source went over."""
        return self._source.commits

    def items(self) -> Iterable[Item]:
        """List what the source lists."""
        return self._source.items()

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give what the source gives, each archive followed by the files in it."""
        if os.getpid() != self._process:
            self._process, self._skipped = os.getpid(), []
        for blob in self._source.read(items):
            yield blob
            if blob.start == 0 and is_container(blob.data[:HEAD]):
                yield from self._inside(blob)

    def _inside(self, blob: Blob) -> Iterator[Blob]:
        path = blob.path or blob.id
        if len(blob.data) >= WINDOW:
            self._skipped.append(Skipped(path, f"an archive of {WINDOW >> 20} MiB or more: scan it with --archive"))
            return
        budget = Budget(len(blob.data), self._limits)
        for inner in unpack(io.BytesIO(blob.data), path, budget):
            below = inner.path.removeprefix(path)
            yield inner._replace(id=f"{blob.id}{below if below.startswith(_SEPARATOR) else _SEPARATOR}")
        self._skipped += budget.skipped

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the places of ``ids``: for a file in an archive the archive's, with the path inside."""
        outer = {name: name.partition(_SEPARATOR) for name in ids}
        places = self._source.provenance({archive for archive, _, _ in outer.values()})
        return {
            name: tuple(place._replace(path=_below(place.path, path)) for place in found)
            for name, (archive, _, path) in outer.items()
            if (found := places.get(archive))
        }

    def skipped(self) -> Sequence[Skipped]:
        """Give what neither the source nor unpacking has read since the last call."""
        found, self._skipped = self._skipped, []
        return [*self._source.skipped(), *found]


def _below(archive: str, path: str) -> str:
    return f"{archive}{_SEPARATOR}{path}" if path else archive
