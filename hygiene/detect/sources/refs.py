"""All refs of a repository at one moment, as git lists them, and what moved between two moments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from hygiene.git import Git

_NAME_BYTES = 8  # of a name's digest: names may hold what must not be written down


class Moves(NamedTuple):
    """What is otherwise than before; objects by the digest of the ref's name."""

    moved: Mapping[bytes, tuple[str, str]]  # old and new object
    added: Mapping[bytes, str]
    gone: Mapping[bytes, str]


def list_refs(git: Git) -> bytes:
    """Give a line for each ref, HEAD first, with its object, then one for each stash behind the newest."""
    head = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1, 128)).strip()
    listing = (head + b" HEAD\n" if head else b"") + git.run("for-each-ref", "--format=%(objectname) %(refname)")
    if b" refs/stash\n" in listing:
        stashes = git.run("rev-list", "--walk-reflogs", "refs/stash", "--", ok=(0, 128)).split()
        listing += b"".join(b"%s stash@{%d}\n" % (name, number) for number, name in enumerate(stashes))
    return listing


def digest(listing: bytes) -> bytes:
    """Name the whole ``listing``: the same for the same refs."""
    return sha256(listing).digest()


def compact(listing: bytes) -> bytes:
    """Give of ``listing`` what :func:`moves` needs, without a name: for each ref its digest and its object."""
    objects = [(name, bytes.fromhex(target)) for name, target in _by_digest(listing).items()]
    size = len(objects[0][1]) if objects else 0
    return bytes((size,)) + b"".join(name + target for name, target in objects)


def moves(before: bytes, listing: bytes) -> Moves:
    """Compare ``listing`` with an earlier one, of which :func:`compact` kept ``before``."""
    width = _NAME_BYTES + before[0]
    rows = (before[at : at + width] for at in range(1, len(before), width))
    olds = {row[:_NAME_BYTES]: row[_NAME_BYTES:].hex() for row in rows}
    news = _by_digest(listing)
    return Moves(
        {name: (olds[name], new) for name, new in news.items() if olds.get(name, new) != new},
        {name: new for name, new in news.items() if name not in olds},
        {name: old for name, old in olds.items() if name not in news},
    )


def objects(before: bytes, most: int) -> list[str]:
    """Give the first ``most`` objects of what :func:`compact` kept: HEAD's, then those of branches."""
    width = _NAME_BYTES + before[0]
    return [before[at + _NAME_BYTES : at + width].hex() for at in range(1, min(len(before), 1 + most * width), width)]


def names(listing: bytes) -> dict[bytes, str]:
    """Give the names of the refs in ``listing``, by what stands for them."""
    return {
        name_digest(name): os.fsdecode(name) for name in (line[line.index(b" ") + 1 :] for line in listing.splitlines())
    }


def name_digest(name: bytes) -> bytes:
    """Give what stands for the ref ``name``."""
    return sha256(name).digest()[:_NAME_BYTES]


def _by_digest(listing: bytes) -> dict[bytes, str]:
    """Give the object of each ref, by what stands for its name."""
    pairs = (line.split(b" ", 1) for line in listing.splitlines())
    return {name_digest(name): target.decode() for target, name in pairs}
