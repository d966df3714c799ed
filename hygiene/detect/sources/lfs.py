"""Git LFS pointers: small blobs that stand for a content which is not in git."""

from __future__ import annotations

_HEAD = b"version https://git-lfs.github.com/spec/"
LONGEST = 1024  # bytes, by the LFS specification


def is_pointer(data: bytes) -> bool:
    """Say whether ``data`` is a Git LFS pointer file (git-lfs docs/spec.md)."""
    return data.startswith(_HEAD) and len(data) < LONGEST and b"\noid " in data
