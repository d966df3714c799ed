"""``hygiene hook STAGE``: what git, pre-commit and prek call. No click, and no import that a commit would feel.

Hooks read git's objects, never the file names that they are handed: those come from the working tree, in part, late,
and in several processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from hygiene.cli.blocked import write_blocked, write_kept
from hygiene.cli.pushes import Update, framework_update, parse_updates, pushed_revisions, received_revisions
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.glance.look import listings, settled
from hygiene.detect.glance.prepare import prepare, store_values, use_values
from hygiene.detect.scan import scan
from hygiene.detect.sources.protocol import Source
from hygiene.detect.sources.registry import open_source
from hygiene.detect.sources.removal import removals
from hygiene.detect.workers import usable_cores
from hygiene.errors import ExitCode, SourceError, UsageError
from hygiene.finding import ScanResult
from hygiene.git import Git
from hygiene.places import cache_folder

HELP = """\
Usage: hygiene hook STAGE [ARGUMENTS]

  What git, pre-commit and prek call; hygiene install sets it up. Reads git's objects, never the working tree.

  Exits 0 to let git go on, 1 when a credential would get in, 4 when something could not be read.

  Stages:
    auto              finds out the stage from the environment: for the pre-commit framework
    pre-commit        what the next commit adds (so does pre-merge-commit)
    commit-msg FILE   the message
    pre-push REMOTE   every commit of every ref on standard input that the remote has not
    pre-receive       the same on a server, from its quarantine; no network
    post-rewrite      tells what an amended commit keeps; stops nothing
"""
_SCISSORS = b"------------------------ >8 ------------------------"  # git commit -v: below stands the diff


def run(arguments: list[str]) -> int:
    """Run ``hook STAGE …``; gives the exit code: 0 lets git go on."""
    stage = arguments[1] if len(arguments) > 1 else ""
    if stage in ("-h", "--help"):
        sys.stdout.write(HELP)
        return ExitCode.CLEAN
    if stage not in _STAGES:
        raise UsageError(f"no hook stage {stage!r}", hint=f"known are {', '.join(_STAGES)}")
    return _STAGES[stage](arguments[2:])


def _before_commit(_arguments: list[str]) -> int:
    root = _root()
    return _scan(
        open_source("index", root, settled=settled, listing=listings[-1] if listings else None), root, "commit"
    )


def _before_push(arguments: list[str]) -> int:
    root = _root()
    git = Git(root)
    if os.environ.get("PRE_COMMIT"):
        update = framework_update(os.environ)
        remote = os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
        updates = [update]
        _say(f"pre-commit hands over one ref of a push, {update.ref}; hygiene install sets a hook that sees all")
    else:
        remote = arguments[0] if arguments else ""
        updates = parse_updates(_stdin_lines(), received=False)
    revisions = pushed_revisions(updates, remote, lambda name: _exists(git, name))
    if not revisions:
        return ExitCode.CLEAN
    return _scan(open_source("commits", root, revisions=revisions), root, "push", tips=_tips(updates))


def _before_receive(_arguments: list[str]) -> int:
    root = Path(os.environ.get("GIT_DIR") or ".").resolve()
    updates = parse_updates(_stdin_lines(), received=True)
    revisions = received_revisions(updates)
    if not revisions:
        return ExitCode.CLEAN
    base = "HEAD" if _exists(Git(root), "HEAD") else ""
    source = open_source("commits", root, revisions=revisions)
    return _scan(source, root, "push", base=base, tips=_tips(updates))


def _message(arguments: list[str]) -> int:
    if len(arguments) != 1:
        raise UsageError("hook commit-msg takes the file with the message")
    try:
        text = Path(arguments[0]).read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read the commit message {arguments[0]}: {error.strerror}") from error
    stream = BytesIO(text.partition(_SCISSORS)[0])
    return _scan(open_source("stdin", stream=stream, name="commit message"), _root(), "commit")


def _after_amending(arguments: list[str]) -> int:
    """Tell what an amended commit keeps: to the hook before a commit that is no change, so it lets it pass."""
    if "amend" in (*arguments[:1], os.environ.get("PRE_COMMIT_REWRITE_COMMAND", "")):
        root = _root()
        write_kept(_read(open_source("commits", root, revisions=("HEAD^!",)), root), sys.stderr)
    return ExitCode.CLEAN


def _automatic(arguments: list[str]) -> int:
    """Find out the stage: pre-commit tells a hook none."""
    if any(os.environ.get(name) for name in ("PRE_COMMIT_REMOTE_NAME", "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF")):
        return _before_push(arguments)
    if not os.environ.get("GIT_INDEX_FILE"):  # git sets it for a commit's hooks; this is a run by hand or in CI
        return _before_commit(arguments) or _everything()
    return _before_commit(arguments)


def _everything() -> int:
    """Scan all that is checked in: `pre-commit run --all-files` has nothing staged, and "clean" would be a lie."""
    root = _root()
    return _scan(open_source("directory", root, ignored=False), root, "run")


_STAGES: Mapping[str, Callable[[list[str]], int]] = {
    "auto": _automatic,
    "pre-commit": _before_commit,
    "pre-merge-commit": _before_commit,
    "pre-push": _before_push,
    "commit-msg": _message,
    "post-rewrite": _after_amending,
    "pre-receive": _before_receive,
}


def _scan(source: Source, root: Path, doing: str, *, base: str = "", tips: Sequence[str] = ()) -> int:
    result = _read(source, root, base)
    if not result.new and not result.incomplete:
        return ExitCode.CLEAN
    write_blocked(result, doing, sys.stderr, lambda finding: removals(Git(root), finding, tips))
    if result.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE if result.incomplete else ExitCode.FINDINGS


def _tips(updates: Sequence[Update]) -> list[str]:
    return [update.new for update in updates]


def _read(source: Source, root: Path, base: str = "") -> ScanResult:
    scanning = open_scanning(root, root, Wishes(), base=base)
    if not base:
        prepare(cache_folder(), root, scanning.used, scanning.examiner.least)
    for notice in scanning.notices:
        _say(notice)
    use_values(cache_folder())
    result = scan(source, scanning.examiner, scanning.accepted, exclude=scanning.config.exclude, jobs=usable_cores())
    store_values(cache_folder())
    return result


def _root() -> Path:
    """Find the top of the working tree by its ``.git``: a question to git would cost as much as the scan."""
    here = Path.cwd()
    if os.environ.get("GIT_WORK_TREE"):
        return Path(os.environ["GIT_WORK_TREE"]).resolve()
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return folder
    return Git(here).root()


def _stdin_lines() -> list[str]:
    return os.fsdecode(sys.stdin.buffer.read()).splitlines()


def _exists(git: Git, name: str) -> bool:
    found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", ok=(0, 1, 128))
    return bool(found)


def _say(text: str) -> None:
    print(f"hygiene: {text}", file=sys.stderr)
