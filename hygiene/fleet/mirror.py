"""Mirrors of repositories that lie elsewhere: all refs, whole, brought up to date by ``git fetch``."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

from hygiene.errors import SourceError
from hygiene.fileio import make_private_folder, write_error
from hygiene.fleet.tips import listed_tips, local_tips
from hygiene.fleet.transport import NetworkGit
from hygiene.git import Git

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_ALL_REFS = "+refs/*:refs/*"


def mirror_path(folder: Path, key: str, name: str) -> Path:
    """Give the mirror's place in ``folder``: named for people, and by its key, so that a rename moves nothing."""
    short = _UNFIT.sub("-", name.rpartition("/")[2])[:60].strip(".-") or "repository"
    return folder / f"{short}-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}.git"


def remote_tips(url: str) -> str:
    """Ask where the repository at ``url`` stands, without fetching. Raises SourceError."""
    return listed_tips(NetworkGit(Path.cwd(), url).reach("ls-remote", "--quiet", "--", url))


def update_mirror(path: Path, url: str) -> str:
    """Bring the mirror at ``path`` up to date, after making it where there is none; gives its tips.

    It appears whole or not at all. Refs that are gone there go here as well; their objects stay until git itself
    drops them. Raises SourceError.
    """
    if not path.exists():
        _make(path, url)
    else:
        git = NetworkGit(path, url)
        git.reach("fetch", "--quiet", "--prune", "--no-write-fetch-head", "--no-auto-gc", "--", url, _ALL_REFS)
        _point_head(git)
    return local_tips(Git(path))


def is_whole(path: Path) -> bool:
    """Say whether the mirror at ``path`` is neither shallow nor partial."""
    return not (path / "shallow").exists() and not any((path / "objects" / "pack").glob("*.promisor"))


def _make(path: Path, url: str) -> None:
    make_private_folder(path.parent)
    part = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        shutil.rmtree(part, ignore_errors=True)
        git = NetworkGit(path.parent, url)
        git.reach("init", "--quiet", "--bare", "--", str(part))
        inside = NetworkGit(part, url)
        inside.reach("fetch", "--quiet", "--no-write-fetch-head", "--no-auto-gc", "--", url, _ALL_REFS)
        _point_head(inside)
        if not is_whole(part):
            raise SourceError(f"{url} gives only a part of its history", hint="git fetch --unshallow there")
        part.rename(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _point_head(git: NetworkGit) -> None:
    """Let HEAD name the branch that it names there; policies and owners are read from it."""
    for line in git.reach("ls-remote", "--quiet", "--symref", "--", git.url, "HEAD").splitlines():
        if line.startswith(b"ref: refs/heads/"):
            Git(git.folder).run("symbolic-ref", "HEAD", os.fsdecode(line[5:].split(b"\t")[0]))
