"""What every source of repositories promises."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol


class Listed(NamedTuple):
    """One repository, as its source lists it."""

    key: str  # stays the same when it is renamed or moved: "path:/…", or the API's own number
    name: str  # as people call it today
    url: str = ""  # to clone from; "" for one that is scanned where it lies
    path: str = ""  # where it lies; "" for one that is to be mirrored
    archived: bool = False
    fork: bool = False


class Listing(NamedTuple):
    """What a source lists."""

    repositories: tuple[Listed, ...]
    gone: tuple[str, ...] = ()  # keys that are no more
    skipped: tuple[tuple[str, str], ...] = ()  # what was left out, and why
    memory: Mapping[str, Any] = {}  # for the next time; plain JSON

    @classmethod
    def whole(cls, found: Iterable[Listed], known: Collection[str], skipped: Sequence[tuple[str, str]]) -> Listing:
        """Make the listing of a source that shows all it has: what it listed before and does not now is gone."""
        repositories = tuple(found)
        keys = {one.key for one in repositories}
        return cls(repositories, tuple(key for key in known if key not in keys), tuple(skipped))


class Wanted(NamedTuple):
    """What is to be listed."""

    location: str
    api: str = ""
    archived: bool = False
    forks: bool = False


class Lister(Protocol):
    """One kind of source."""

    def check(self, wanted: Wanted) -> str:
        """Give the location in its lasting form; raises UsageError or SourceError where it can't be one."""
        ...

    def listing(self, wanted: Wanted, memory: Mapping[str, Any], known: Collection[str]) -> Listing:
        """List what there is; ``known`` are the keys that it listed before. Raises SourceError."""
        ...
