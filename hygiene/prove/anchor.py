"""Anchors: checkpoints committed to a git ref, which a remote keeps and protects.

What a local chain can't prove is that it is not an old copy. Each anchor is a commit on ``refs/hygiene/audit`` whose
tree holds the latest checkpoint of every log; the ref only grows, and is pushed like any other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from hygiene.crypto import verify
from hygiene.errors import AuditError, SourceError
from hygiene.git import Git
from hygiene.prove.checkpoint import Checkpoint, format_checkpoint, message, parse_checkpoint
from hygiene.prove.event import Actor
from hygiene.prove.files import SHORT_ID

REF = "refs/hygiene/audit"


def place_of(actor: Actor, folder: Path) -> str:
    """Name the audit folder of ``actor`` without telling its path, user or host."""
    told = "\0".join((actor.user, actor.host, str(folder.resolve())))
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def ref_place(git: Git, ref: str = REF) -> str:
    """Name ``ref`` of this very repository without telling its path."""
    return hashlib.sha256(f"{git.common_dir()}\0{ref}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def anchored_detail(git: Git, checkpoint: Checkpoint, commit: str, ref: str = REF) -> dict[str, str]:
    """Give what the log itself says of an anchor: a ref that is deleted or put back is missed by it."""
    return {"anchored": str(checkpoint.seq), "commit": commit, "ref_place": ref_place(git, ref)}


def read_anchors(git: Git, ref: str = REF) -> list[Checkpoint]:
    """Give every checkpoint that ``ref`` ever held, the newest first; none where there is no such ref.

    Raises :class:`AuditError` for one that can't be read or whose signature is not by the key that it names.
    """
    if not _tip(git, ref):
        return []
    names = git.run("rev-list", "--objects", "--no-object-names", ref)
    found = {_parse(content, ref) for content in _blobs(git.run("cat-file", "--batch", stdin=names))}
    return sorted(found, key=lambda checkpoint: (checkpoint.time, checkpoint.seq), reverse=True)


def write_anchor(git: Git, checkpoints: list[Checkpoint], ref: str = REF) -> str:
    """Commit ``checkpoints`` on top of ``ref`` and give the commit's id; raises SourceError when the ref moved."""
    tip = _tip(git, ref)
    files = _tree(git, tip) if tip else {}
    for checkpoint in checkpoints:
        blob = git.run("hash-object", "-w", "--stdin", stdin=format_checkpoint(checkpoint))
        files[f"{checkpoint.log[:SHORT_ID]}.json"] = os.fsdecode(blob).strip()
    listing = "".join(f"100644 blob {blob}\t{name}\0" for name, blob in sorted(files.items()))
    tree = os.fsdecode(git.run("mktree", "-z", stdin=listing.encode())).strip()
    parents = ("-p", tip) if tip else ()
    commit = git.line(*_identity(git), "commit-tree", tree, *parents, "-m", "Anchor the audit log")
    git.run("update-ref", "-m", "hygiene audit anchor", ref, commit, tip or "0" * len(commit))
    return commit


def is_authentic(checkpoint: Checkpoint) -> bool:
    """Say whether the checkpoint's signature is one by the key that it names; True for an unsigned one."""
    if not checkpoint.signature:
        return True
    try:
        key, signature = base64.b64decode(checkpoint.key), base64.b64decode(checkpoint.signature)
    except binascii.Error:
        return False
    return verify(key, signature, message(checkpoint.log, checkpoint.seq, checkpoint.hash))


def _blobs(batch: bytes) -> Iterator[bytes]:
    """Take the blobs out of what ``git cat-file --batch`` wrote."""
    position = 0
    while position < len(batch):
        end = batch.index(b"\n", position)
        _, kind, size = batch[position:end].split()
        position = end + 1 + int(size) + 1
        if kind == b"blob":
            yield batch[end + 1 : position - 1]


def _tip(git: Git, ref: str) -> str:
    return os.fsdecode(git.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", ok=(0, 1))).strip()


def _tree(git: Git, commit: str) -> dict[str, str]:
    files = {}
    for entry in os.fsdecode(git.run("ls-tree", "-z", commit)).split("\0"):
        if entry:
            facts, name = entry.split("\t", 1)
            files[name] = facts.split()[2]
    return files


def _identity(git: Git) -> tuple[str, ...]:
    """Let git name the committer; where it can't (a bare machine), the tool itself commits."""
    try:
        git.run("var", "GIT_COMMITTER_IDENT")
    except SourceError:
        return ("-c", "user.name=hygiene", "-c", "user.email=hygiene@localhost")
    return ()


def _parse(text: bytes, ref: str) -> Checkpoint:
    try:
        checkpoint = parse_checkpoint(text)
    except ValueError as error:
        raise AuditError(f"{ref} holds what is no checkpoint", hint="look at its history: git log -p " + ref) from error
    if not is_authentic(checkpoint):
        raise AuditError(
            f"{ref} holds a checkpoint of {checkpoint.log[:SHORT_ID]} at entry {checkpoint.seq} with a false signature",
            hint="find out who pushed it: git log " + ref,
        )
    return checkpoint
