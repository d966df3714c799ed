"""The checks of ``hygiene doctor``: each says what it found, and how to mend what is wrong."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from hygiene.cli.canary import proves_itself
from hygiene.cli.hookfiles import HOOKS, is_ours
from hygiene.cli.registry import EXTRAS, load_store_checks
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.match import first_hint
from hygiene.errors import ExitCode, HygieneError
from hygiene.git import Git, find_root
from hygiene.places import home_folder, repository_folder

OK, WARN, FAIL = "ok", "warn", "fail"
_FRAMEWORK_FILE = ".pre-commit-config.yaml"
_OLDEST_GIT = (2, 31)


class Result(NamedTuple):
    """What one check found."""

    check: str
    state: str  # ok, warn, fail
    found: str
    fix: str = ""
    exit_code: int = ExitCode.CLEAN


def checked(name: str, check: Callable[[], Iterator[Result]]) -> Iterator[Result]:
    """Give the results of ``check``; an error that it was not written for is one, too."""
    try:
        yield from check()
    except HygieneError as error:
        yield Result(name, FAIL, error.message, error.hint, error.exit_code)


class Checkup:
    """What the checks look at: one folder, its repository if there is one, and the user's own data."""

    def __init__(self, folder: Path) -> None:
        """Look at ``folder``."""
        self._folder = folder
        self._root: Path | None = None

    def results(self) -> Iterator[Result]:
        """Run every check; one that fails in an unforeseen way is a result, too."""
        checks: list[tuple[str, Callable[[], Iterator[Result]]]] = [
            ("git", self._git),
            ("rules", self._rules),
            ("hooks", self._hooks),
            ("journals", self._journals),
            ("store", self._store),
            ("permissions", self._permissions),
            ("pipeline", self._pipeline),
        ]
        for name, check in checks:
            yield from checked(name, check)

    def _git(self) -> Iterator[Result]:
        words = Git(self._folder).line("version").split()
        version = tuple(int(part) for part in words[2].split(".")[:2] if part.isdigit())
        if version < _OLDEST_GIT:
            yield Result("git", FAIL, f"git {words[2]} is too old", "install git 2.31 or later", ExitCode.INCOMPLETE)
        else:
            yield Result("git", OK, f"git {words[2]}")
        self._root = find_root(self._folder)
        if self._root is None:
            yield Result("repository", WARN, "this folder is in no git repository", "git init")
            return
        git = Git(self._root)
        if git.line("rev-parse", "--is-shallow-repository") == "true":
            yield Result("repository", WARN, "a shallow clone: older history is not here", "git fetch --unshallow")
        elif git.run("config", "--get-regexp", r"remote\..*\.promisor", ok=(0, 1)):
            fix = "git fetch --refetch --filter=tree:0 is not enough: clone without --filter"
            yield Result("repository", WARN, "a partial clone: some contents are not here", fix)
        else:
            yield Result("repository", OK, str(self._root))

    def _rules(self) -> Iterator[Result]:
        scanning = open_scanning(self._folder, self._root, Wishes())
        count = first_hint(scanning.examiner.patterns)  # behind the rules stand hints at encoded text
        if scanning.notices:
            yield Result("rules", WARN, f"{count} rules; {scanning.notices[0]}", "pip install hyperscan")
        else:
            yield Result("rules", OK, f"{count} rules, ready to match")

    def _hooks(self) -> Iterator[Result]:
        if self._root is None:
            return
        folder = Git(self._root).hooks_folder()
        framework = self._root / _FRAMEWORK_FILE
        if framework.exists() and b"hygiene" in framework.read_bytes():
            if (folder / "pre-commit").exists():
                yield Result("hooks", OK, f"{_FRAMEWORK_FILE} names hygiene, and its hook is installed")
            else:
                yield Result("hooks", WARN, f"{_FRAMEWORK_FILE} names hygiene, but no hook runs it", "hygiene install")
            return
        missing = [hook for hook in HOOKS if not is_ours(folder / hook)]
        if missing:
            yield Result("hooks", WARN, f"not installed in {folder}: {', '.join(missing)}", "hygiene install")
        if "pre-commit" not in missing:
            problem = proves_itself(folder)
            if problem:
                yield Result("hooks", FAIL, problem, "hygiene install writes the hooks anew", ExitCode.INCOMPLETE)
            else:
                yield Result("hooks", OK, "a planted credential is refused")

    def _journals(self) -> Iterator[Result]:
        if self._root is None:
            return
        folder = repository_folder(Git(self._root).common_dir()) / "journal"
        unfinished = sorted(path.stem for path in folder.glob("*.jsonl")) if folder.is_dir() else []
        for name in unfinished:
            job = name.split("-")[0]
            yield Result("journals", WARN, f"an unfinished {job}: {name}", f"hygiene {job} --resume")
        if not unfinished:
            yield Result("journals", OK, "no job is unfinished")

    def _store(self) -> Iterator[Result]:
        try:
            checks = load_store_checks()
        except ModuleNotFoundError as error:
            if (error.name or "hygiene").startswith("hygiene"):
                raise
            yield Result("store", WARN, f"this install only scans: {error.name} is not there", EXTRAS)
            return
        yield from checks(self._folder, self._root)

    def _permissions(self) -> Iterator[Result]:
        home = home_folder()
        if not home.exists():
            return
        loose = [path for path in (home, *home.iterdir()) if _others_may_read(path)]
        for path in loose:
            fix = f"chmod -R go= {path}"
            yield Result("permissions", FAIL, f"others may read {path}", fix, ExitCode.STORE)
        if not loose:
            yield Result("permissions", OK, f"{home} is private")

    def _pipeline(self) -> Iterator[Result]:
        if self._root is None:
            return
        files = [*self._root.glob(".github/workflows/*.y*ml"), *self._root.glob(".gitlab-ci.yml")]
        naming = [path.name for path in files if b"hygiene" in path.read_bytes()]
        if naming:
            yield Result("pipeline", OK, f"{', '.join(naming)} runs hygiene")
        elif files:
            yield Result("pipeline", WARN, "no pipeline runs hygiene: a hook can be skipped", "docs/action.md")


def _others_may_read(path: Path) -> bool:
    return bool(path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)) and not path.is_symlink()
