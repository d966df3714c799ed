"""The hook files that ``hygiene install`` writes into a repository's hooks folder."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hygiene.errors import UsageError
from hygiene.fileio import write_atomic

HOOKS = ("pre-commit", "pre-merge-commit", "commit-msg", "pre-push", "post-rewrite")
_MARK = "# written by `hygiene install`; `hygiene install --uninstall` takes it away"
_KEPT_SUFFIX = ".before-hygiene"
_EXECUTABLE = 0o755

# A hook that was there before runs first and can refuse; both see what git writes to their input.
_TEMPLATE = """\
#!/bin/sh
{mark}
before={before}
input=
case {name} in pre-push|post-rewrite) input=$(cat; printf x); input=${{input%x}} ;; esac
if [ -x "$before" ]; then
    printf '%s' "$input" | "$before" "$@" || exit $?
fi
if [ -x {program} ]; then set -- {program} hook {name} "$@"
elif command -v hygiene >/dev/null 2>&1; then set -- hygiene hook {name} "$@"
else
    echo "hygiene is not installed here, so nothing was checked; install it, or remove $0" >&2
    exit 4
fi
printf '%s' "$input" | "$@"
"""


class Change(NamedTuple):
    """What happened to one hook."""

    hook: str
    did: str  # written, kept, removed, absent, foreign


def install_files(folder: Path, hooks: Sequence[str]) -> list[Change]:
    """Write our file for each of ``hooks`` into ``folder``; one of another tool is kept and called first."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_install(folder, hook) for hook in hooks]


def uninstall_files(folder: Path) -> list[Change]:
    """Take our files away and put back what was there before."""
    return [_uninstall(folder, hook) for hook in HOOKS]


def is_ours(path: Path) -> bool:
    """Say whether ``path`` is a hook that we wrote."""
    try:
        return _MARK.encode() in path.read_bytes()
    except OSError:
        return False


def program() -> Path:
    """Give the path of the ``hygiene`` program that runs now, for hooks started without our environment's PATH."""
    beside = Path(sys.executable).with_name("hygiene")
    return beside if beside.exists() else Path(sys.argv[0]).absolute()


def _install(folder: Path, hook: str) -> Change:
    path, before = folder / hook, folder / (hook + _KEPT_SUFFIX)
    if os.path.lexists(path) and not is_ours(path):
        if os.path.lexists(before):
            raise UsageError(f"both {path} and {before} are hooks of another tool", hint="remove one of them")
        path.rename(before)
    text = _TEMPLATE.format(mark=_MARK, name=hook, before=shlex.quote(str(before)), program=shlex.quote(str(program())))
    known = path.read_text() if path.exists() else ""
    if known == text and path.stat().st_mode & stat.S_IXUSR:
        return Change(hook, "kept")
    write_atomic(path, text.encode(), mode=_EXECUTABLE)
    return Change(hook, "written")


def _uninstall(folder: Path, hook: str) -> Change:
    path, before = folder / hook, folder / (hook + _KEPT_SUFFIX)
    if not path.exists():
        return Change(hook, "absent")
    if not is_ours(path):
        return Change(hook, "foreign")
    path.unlink()
    if os.path.lexists(before):
        before.rename(path)
    return Change(hook, "removed")
