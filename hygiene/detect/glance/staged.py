"""What is staged: listed by git, and read from its loose objects, where ``git add`` has just put most of it."""

import os
from zlib import decompressobj

from hygiene.detect.glance.process import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LISTING = (  # the question about what is staged; a tree and options may follow
    "diff-index",
    "--cached",
    "--ita-invisible-in-index",
    "--raw",
    "-z",
    "--no-renames",
    "--no-abbrev",
    "--ignore-submodules=none",
)
_LARGEST = 16 << 20  # bytes; longer objects are read in windows, by the ordinary scan
_MOST_IDS = 800  # of 65 bytes with SHA-256: they fit into any pipe
_SUBMODULE = b"160000"


class Unclear(Exception):
    """Something that a glance can't settle."""


class Staged:
    """The staged files of a repository; git lists them while we do other things."""

    def __init__(self) -> None:
        """List what is staged in the working tree whose top this folder is. Raises OSError."""
        self.listing = b""  # what git said, once entries() has read it
        self._git = Process(*LISTING, "HEAD", "--")

    def entries(self) -> list[tuple[str, bytes]]:
        """Give id and path of each staged file. Raises OSError without a first commit, Unclear in a conflict."""
        self.listing = self._git.read()
        fields = iter(self.listing.split(b"\0"))
        found = []
        for header in fields:
            if header:
                _, mode, _, name, status = header.split(b" ")
                path = next(fields)
                if status[:1] == b"U":
                    raise Unclear
                if status[:1] != b"D" and mode != _SUBMODULE:
                    found.append((name.decode("ascii"), path))
        return found

    def blobs(self, entries: "list[tuple[str, bytes]]") -> "Iterator[tuple[str, bytes, bytes]]":
        """Give id, path and bytes of ``entries``. Raises OSError, ValueError or Unclear for what is not as usual."""
        folder = _objects_folder()
        packed = []
        for name, path in entries:
            data = _loose(f"{folder}/{name[:2]}/{name[2:]}")
            if data is None:
                packed.append((name, path))
            else:
                yield name, path, data
        for at in range(0, len(packed), _MOST_IDS):
            yield from self._packed(packed[at : at + _MOST_IDS])

    def _packed(self, entries: list[tuple[str, bytes]]) -> "Iterator[tuple[str, bytes, bytes]]":
        self._git = Process("cat-file", "--batch", stdin="".join(f"{name}\n" for name, _ in entries).encode())
        output = self._git.output
        for name, path in entries:
            header = output.readline()
            size = int(header[header.rindex(b" ") + 1 :])
            if size > _LARGEST:
                raise Unclear
            data = output.read(size)
            if len(data) != size or output.read(1) != b"\n":
                raise Unclear
            yield name, path, data
        self._git.close()

    def close(self) -> None:
        """End what still runs."""
        self._git.stop()


def _objects_folder() -> str:
    """Give where git keeps objects (gitrepository-layout(5)); a wrong guess only means that none is found there."""
    if folder := os.environ.get("GIT_OBJECT_DIRECTORY"):
        return folder
    folder = os.environ.get("GIT_DIR") or ".git"
    if os.path.isfile(folder):  # of a further working tree, or of a submodule
        folder = _line(folder).removeprefix("gitdir: ")
    if os.path.isfile(f"{folder}/commondir"):
        folder = os.path.join(folder, _line(f"{folder}/commondir"))
    return f"{folder}/objects"


def _line(path: str) -> str:
    with open(path, "rb") as stream:
        return os.fsdecode(stream.read(1 << 16).rstrip(b"\n"))


def _loose(path: str) -> bytes | None:
    """Read a loose object (gitformat-loose(5)); None where there is none. Raises ValueError, Unclear or zlib.error."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        size = os.fstat(descriptor).st_size
        if size > _LARGEST:
            raise Unclear
        packed = os.read(descriptor, size)
    finally:
        os.close(descriptor)
    head, _, data = decompressobj().decompress(packed, _LARGEST + 64).partition(b"\0")
    kind, length = head.split(b" ")
    if kind != b"blob" or int(length) != len(data):
        raise Unclear
    return data
