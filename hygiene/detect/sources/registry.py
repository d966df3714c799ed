"""Where sources are chosen; each is imported only when it is."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from hygiene.detect.sources.protocol import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hygiene.detect.sources.packs import Packs
    from hygiene.git import Git

SOURCES = {
    "index": ("hygiene.detect.sources.index", "IndexSource"),
    "directory": ("hygiene.detect.sources.directory", "DirectorySource"),
    "history": ("hygiene.detect.sources.history", "HistorySource"),
    "remembered": ("hygiene.detect.sources.remembered", "RememberedHistory"),
    "commits": ("hygiene.detect.sources.commits", "CommitsSource"),
    "archive": ("hygiene.detect.sources.archive", "ArchiveSource"),
    "stdin": ("hygiene.detect.sources.stdin", "StdinSource"),
}


def open_source(
    kind: str,
    folder: Path | None = None,
    *,
    revisions: Sequence[str] = (),
    archives: bool = False,
    **options: Any,
) -> Source:
    """Open the source ``kind`` (a key of SOURCES).

    ``folder``: what to read, for all but stdin. ``revisions``: for commits, such as ``("A..B",)`` or
    ``("B", "--not", "--remotes=origin")``. ``archives``: unpack what is met. ``options`` go to the source:
    directory ``ignored``; history ``unreachable``, ``deep``; remembered ``notebook``; archive ``limits``;
    stdin ``stream``, ``name``; index ``settled``, ``listing``.
    """
    module, name = SOURCES[kind]
    made = getattr(import_module(module), name)
    arguments: list[Any] = [] if folder is None else [folder]
    if kind == "commits":
        arguments.append(tuple(revisions))
    source = cast(Source, made(*arguments, **options))
    if archives:
        source = cast(Source, import_module("hygiene.detect.sources.archive").Unpacked(source))
    return source


def load_packs(git: Git) -> Packs | None:
    """Import and make what reads packs: only for a whole history is that faster than git."""
    return cast("Packs | None", import_module("hygiene.detect.sources.packs").open_packs(git))
