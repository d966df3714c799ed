"""Where a secret's files lie below the store's root.

``secrets/NAME/@record.json`` and ``secrets/NAME/@DIGEST.age``. No name holds an ``@``, so a secret may be
called like the folder of another. Parts longer than file systems allow are cut: ``aaaa…@/aaaa``.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from hygiene.errors import IntegrityError

RECORD = "@record.json"
_CUT = 200
_PIECE = 1 << 16
_LARGEST = 1 << 24
_ROOT = "secrets"


def record_folder(root: Path, name: str) -> Path:
    """Give the folder of the secret ``name``, which is a checked name."""
    return Path(_folder(str(root), name))


def record_path(root: str, name: str) -> str:
    """Give the record's file of the secret ``name``; text and not a Path, since each read and listing needs it."""
    return f"{_folder(root, name)}/{RECORD}"


def value_path(root: str, name: str, digest: str) -> str:
    """Give the age file of ``name`` whose SHA-256 is ``digest``."""
    return f"{_folder(root, name)}/@{digest[:32]}.age"


def read_file(path: str) -> bytes:
    """Read a whole file; raises OSError for a link, and for what no record or value can be."""
    # Neither a Path nor a stream: each costs as much as the reading. A pipe in the place of a file must not block.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        content = piece = os.read(descriptor, _PIECE)
        while len(piece) == _PIECE:
            piece = os.read(descriptor, _PIECE)
            content += piece
            if len(content) > _LARGEST:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return content
    finally:
        os.close(descriptor)


def check_own_folders(root: Path) -> None:
    """Raise :class:`IntegrityError` where one of the store's own folders is a link."""
    for folder in (_ROOT, "policy", "access"):
        _refuse_link(f"{root}/{folder}")


def check_no_link(root: str, name: str = "") -> None:
    """Raise :class:`IntegrityError` where a folder on the way to ``name`` is a link: it leads out of the store."""
    path = f"{root}/{_ROOT}"
    for part in ("", *_parts(name)):
        path = f"{path}/{part}" if part else path
        _refuse_link(path)


def record_names(root: Path, prefix: str = "") -> list[str]:
    """Give the names of all records that start with ``prefix``, sorted."""
    return sorted(name for name in _walk(str(root / _ROOT), "") if name.startswith(prefix))


def unnamed_values(folder: Path, digests: set[str]) -> Iterator[Path]:
    """Give the age files in ``folder`` that none of ``digests`` names: leftovers of cut-off writes."""
    kept = {f"@{digest[:32]}.age" for digest in digests}
    return (path for path in folder.glob("@*.age") if path.name not in kept)


def _refuse_link(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return  # whoever reads or writes there says what is wrong
    if stat.S_ISLNK(mode):
        raise IntegrityError(
            f"{path} is a link, and a store holds none", hint="look who made it, and restore the folder from git"
        )


def _walk(folder: str, name: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name == RECORD:
            yield name
        elif not entry.name.startswith("@") and entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, _joined(name, entry.name))


def _joined(name: str, piece: str) -> str:
    if name.endswith("@"):
        return name[:-1] + piece
    return f"{name}/{piece}" if name else piece


def _folder(root: str, name: str) -> str:
    return f"{root}/{_ROOT}/{'/'.join(_parts(name))}" if len(name) > _CUT else f"{root}/{_ROOT}/{name}"


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    return [piece for part in parts for piece in _cut(part)] if len(name) > _CUT else parts


def _cut(part: str) -> list[str]:
    pieces = [part[start : start + _CUT] for start in range(0, len(part), _CUT)]
    return [piece + "@" for piece in pieces[:-1]] + pieces[-1:]
