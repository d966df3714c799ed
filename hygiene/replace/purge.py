"""Preparing a history without the secrets: a fresh mirror, rewritten by git-filter-repo, and the proof.

The repository itself is not touched. A rewrite does not make a secret secret again: whoever has a clone has it.
Rotating comes first, and often that is enough.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from git import Repo
from git.exc import GitError

from hygiene.errors import SourceError, UsageError
from hygiene.fileio import PRIVATE_FILE
from hygiene.git import Git
from hygiene.secret import Secret

SHORTEST = 6  # bytes; a shorter value would be replaced where it stands by chance
_REPLACEMENT = b"***REMOVED***"
_EXPRESSIONS = "HYGIENE_PURGE_EXPRESSIONS"
_MEMORY = Path("/dev/shm")  # noqa: S108  # private files of ours in memory, so that no disk keeps the values


class Purged(NamedTuple):
    """What a rewrite changed, and what is left."""

    mirror: Path
    bundle: Path
    values: int
    changed_refs: tuple[str, ...]
    first_changed: tuple[str, ...]  # commits
    commits: int  # rewritten ones
    left: tuple[str, ...]  # objects or names that still hold a value
    dropped: tuple[str, ...]  # tags of single files or folders, which no rewrite reaches
    orphaned_lfs: int

    @property
    def pull_requests(self) -> int:
        """The pull requests (GitHub) or merge requests (GitLab) whose commits changed."""
        heads = (re.match(r"refs/(?:pull|merge-requests)/(\d+)/head", ref) for ref in self.changed_refs)
        return len({found[1] for found in heads if found})


def check_source(git: Git) -> None:
    """Refuse what can't be rewritten whole; raises :class:`SourceError`."""
    if git.line("rev-parse", "--is-shallow-repository") == "true":
        raise SourceError("the repository is shallow, so its history is not all here", hint="git fetch --unshallow")
    if git.run("config", "--get-regexp", r"remote\..*\.promisor", ok=(0, 1)).strip():
        raise SourceError("the repository is a partial clone, so objects are missing", hint="make a full clone")


def purge(source: Path, secrets: Sequence[Secret], mirror: Path, bundle: Path) -> Purged:
    """Make ``mirror`` from the repository ``source`` without ``secrets``, and ``bundle`` as a backup of all refs.

    Raises :class:`UsageError` where one of the two exists, :class:`SourceError` where git or git-filter-repo fails.
    """
    git = Git(source)
    check_source(git)
    for path in (mirror, bundle):
        if path.exists():
            raise UsageError(f"{path} exists already", hint="choose another place, or remove it")
    values = [secret.reveal() for secret in secrets if len(secret) >= SHORTEST]
    git.run("bundle", "create", "--quiet", str(bundle.resolve()), "--all")
    git.run("bundle", "verify", "--quiet", str(bundle.resolve()))
    _clone(git.root(), mirror)
    with _expressions(values) as expressions:
        _filter(mirror, expressions)
    fresh = Git(mirror)
    dropped = _drop_tags_of_content(fresh)
    fresh.run("reflog", "expire", "--expire=now", "--all")
    fresh.run("gc", "--quiet", "--prune=now")
    notes = mirror / "filter-repo"
    changed = [line.split()[-1] for line in _lines(notes / "changed-refs")]
    pairs = [line.split() for line in _lines(notes / "commit-map")[1:]]
    return Purged(
        mirror,
        bundle,
        len(values),
        tuple(changed),
        tuple(_lines(notes / "first-changed-commits")),
        sum(len(pair) == 2 and pair[0] != pair[1] for pair in pairs),
        tuple(_left(fresh, values)),
        dropped,
        len(_lines(notes / "orphaned_lfs_objects")),
    )


def forms(value: bytes) -> list[bytes]:
    """Give the forms in which a value may stand in a blob or message."""
    text = value.decode("utf-8", "replace")
    found = [value, base64.b64encode(value).rstrip(b"="), quote(value, safe="").encode()]
    found += [text.encode(codec) for codec in ("utf-16-le", "utf-16-be")]
    return [form for form in dict.fromkeys(found) if len(form) >= SHORTEST]


@contextmanager
def _expressions(values: Sequence[bytes]) -> Iterator[Path]:
    """Write what is to be replaced into a private file, in memory if possible; it is gone afterwards."""
    searched = sorted((form for value in values for form in forms(value)), key=len, reverse=True)
    lines = [b"regex:" + _literal(form) + b"==>" + _REPLACEMENT for form in searched]
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    descriptor, name = tempfile.mkstemp(prefix=".hygiene-tmp-", dir=place)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, PRIVATE_FILE)
            stream.write(b"\n".join(lines) + b"\n")
        yield path
    finally:
        path.write_bytes(b"\0" * path.stat().st_size)
        path.unlink()


def _literal(value: bytes) -> bytes:
    """Write ``value`` as a regular expression on one line, whatever its bytes."""
    return b"".join(bytes([byte]) if chr(byte).isalnum() and byte < 128 else b"\\x%02x" % byte for byte in value)


def _clone(root: Path, mirror: Path) -> None:
    try:
        Repo.clone_from(str(root), str(mirror.resolve()), mirror=True, no_local=True)
    except GitError as error:
        raise SourceError(
            f"git can't clone {root} into {mirror}", hint="is there room, and may you write there?"
        ) from error


def _filter(mirror: Path, expressions: Path) -> None:
    """Run git-filter-repo; the values are in a file, never in its arguments."""
    # The mirror is fresh and ours; without --force, a stash in it is taken for work that could be lost.
    options = ["--force", "--sensitive-data-removal", "--no-fetch", "--quiet", "--replace-refs", "delete-no-add"]
    command = [sys.executable, "-m", "hygiene.replace.filterrepo", *options]
    command += ["--replace-text", str(expressions), "--replace-message", str(expressions)]
    environment = {**Git(mirror).environment(), _EXPRESSIONS: str(expressions)}
    done = subprocess.run(command, cwd=mirror, env=environment, capture_output=True)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        if any("No module named" in line for line in words):
            raise SourceError("git-filter-repo is not installed", hint="pip install 'secret-hygiene[migrate]'")
        raise SourceError("git-filter-repo failed in the mirror", hint=f"see {mirror}; the repository is untouched")


def _drop_tags_of_content(git: Git) -> tuple[str, ...]:
    """Drop the refs that name a file or a folder, not a commit; git-filter-repo leaves them as they are."""
    listing = git.run("for-each-ref", "--format=%(objecttype) %(*objecttype) %(refname)").decode(
        "utf-8", "surrogateescape"
    )
    dropped = tuple(line.split()[-1] for line in listing.splitlines() if {"blob", "tree"} & set(line.split()[:-1]))
    for ref in dropped:
        git.run("update-ref", "-d", ref)
    return dropped


def _left(git: Git, values: Sequence[bytes]) -> Iterator[str]:
    """Name the objects and refs of the mirror that hold a value in any form."""
    searched = [form for value in values for form in forms(value)]
    if not searched:
        return
    pattern = re.compile(b"|".join(re.escape(form) for form in sorted(searched, key=len, reverse=True)))
    listing = git.run("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)").splitlines()
    names = [line.split()[0] for line in listing]
    process = subprocess.Popen(
        git.command("cat-file", "--batch"),
        cwd=git.folder,
        env=git.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    with process:
        for name in names:
            process.stdin.write(name + b"\n")
            process.stdin.flush()
            size = int(process.stdout.readline().split()[2])
            content = process.stdout.read(size + 1)
            if pattern.search(content):
                yield f"object {name.decode()}"
        process.stdin.close()
    for ref in git.run("for-each-ref", "--format=%(refname)").splitlines():
        if pattern.search(ref):
            yield "the name of a ref"


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        return []
