"""What a glance needs of rules and configuration, left ready by an ordinary scan (``prepare``).

A small file in the user's cache folder says which rules hold here, and where in the cache of compiled rules
(``rulecache``) their database lies. It is used only if it and that cache belong to this user and nobody else may write
them, and if all that it was made from is as it was: configuration, rule files, our own modules, the engine.
"""

import marshal
import os
from sys import version
from zlib import crc32

from hygiene import __version__

RULE, GENERIC, HINT, HEX = 0, 1, 2, 3  # kinds of patterns; the last hints at hexadecimal
_FORMAT = 2
_NOTHING = marshal.dumps({})
_OTHERS_MAY_WRITE = 0o022


class Ready:
    """The rules of one project."""

    __slots__ = ("database", "extension", "kinds", "least")

    def __init__(self, extension: str, kinds: bytes, least: str, database: bytes) -> None:
        self.extension = extension  # the file of Hyperscan's module
        self.kinds = kinds  # one byte a pattern
        self.least = least  # the least confidence that counts
        self.database = database


def read_ready(cache: str, root: str) -> Ready | None:
    """Give the rules of the project at ``root``, or None. Raises where that is broken, whatever there is to raise."""
    key = ready_key(root)
    if not _is_ours(os.lstat(cache)):
        return None
    with open(f"{cache}/{ready_name(key)}", "rb", buffering=0, opener=_open) as stream:
        if not _is_ours(os.fstat(stream.fileno())):
            return None
        written, watched, extension, rules, size, kinds, least = marshal.loads(stream.read())  # noqa: S302 (this user's own)
    if written != key or any(state_of(state[0]) != state for state in watched):
        return None
    with open(rules[0], "rb", buffering=0, opener=_open) as stream:
        status = os.fstat(stream.fileno())
        if not _is_ours(status) or _state(rules[0], status) != rules:
            return None
        stream.seek(-size, os.SEEK_END)
        return Ready(extension, kinds, least, stream.read(size))


def read_kept(cache: str) -> bytes:
    """Give the values that :mod:`hygiene.detect.kept` holds from run to run; empty where there are none to trust."""
    try:
        if not _is_ours(os.lstat(cache)):
            return _NOTHING
        with open(f"{cache}/{kept_name()}", "rb", buffering=0, opener=_open) as stream:
            return stream.read() if _is_ours(os.fstat(stream.fileno())) else _NOTHING
    except OSError:
        return _NOTHING


def kept_name() -> str:
    """Name the file of kept values for this Python and this copy of the package."""
    return f"kept-{crc32(repr((_FORMAT, __version__, version, __file__)).encode()):08x}"


def ready_key(root: str) -> bytes:
    """Say what the rules at ``root`` depend on, apart from files that are watched: version and configuration."""
    path, text = _configuration(root)
    parts = (_FORMAT, __version__, version, __file__, path, text)
    return repr(parts).encode("utf-8", "surrogateescape")


def ready_name(key: bytes) -> str:
    """Name the file for ``key``."""
    return f"ready-{crc32(key):08x}{crc32(key[::-1]):08x}"


def state_of(path: str) -> tuple[str, int, int, int, int]:
    """Say by name, size, times and inode in which state a file or folder is. Raises OSError."""
    return _state(path, os.stat(path))


def _state(path: str, status: os.stat_result) -> tuple[str, int, int, int, int]:
    return path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE


def _configuration(root: str) -> tuple[str, bytes]:
    """Find path and text of the configuration, as :func:`hygiene.config.find_config` does; empty for none."""
    if override := os.environ.get("HYGIENE_CONFIG"):
        return override, _read(override)
    own, project = f"{root}/.hygiene.toml", f"{root}/pyproject.toml"
    if os.path.isfile(own):
        return own, _read(own)
    if os.path.isfile(project):
        text = _read(project)
        if b"[tool.hygiene" in text:
            return project, text
    return "", b""


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as stream:
        return stream.read()
