"""Reads what a project has accepted: baseline and allowlist, from the working tree or from a base commit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hygiene.cli.scanning import Wishes
from hygiene.config import FILE_NAME as CONFIG_NAME
from hygiene.config import PYPROJECT, Config, parse_config
from hygiene.detect.allowlist import Allowlist, describe
from hygiene.detect.baseline import FILE_NAME as BASELINE_NAME
from hygiene.detect.baseline import Baseline, parse_baseline, read_baseline
from hygiene.detect.findings import Accepted
from hygiene.detect.policy import loosened, tightened_baseline, tightened_config
from hygiene.errors import ConfigError
from hygiene.fileio import make_private_folder, write_atomic
from hygiene.git import Git
from hygiene.places import cache_folder

_NO_REPOSITORY = b"hygiene: no repository"  # the key of fingerprints outside of one: stable, and no secret


def open_accepted(config: Config, start: Path, root: Path | None, wishes: Wishes, base: str) -> Accepted:
    """Read what counts as accepted: with ``base``, only what that commit accepts too. Raises ConfigError."""
    baseline = None
    if not wishes.no_baseline:
        path = baseline_path(start, root, wishes.baseline)
        baseline = read_baseline(path)
        if wishes.baseline and baseline is None:
            raise ConfigError(f"there is no baseline at {path}", hint="hygiene baseline create makes one")
        if base and root is not None:
            baseline = tightened_baseline(_Commit(root, base).baseline(), baseline)
    return Accepted(baseline, Allowlist(config.allow, date.today()))


def baseline_path(start: Path, root: Path | None, wish: str = "") -> Path:
    """Say where the baseline lies: where the user wishes, or at the top of the repository."""
    return Path(wish) if wish else (root or (start if start.is_dir() else start.parent)) / BASELINE_NAME


def fingerprint_key(root: Path | None, accepted: Accepted) -> bytes:
    """Give the key of fingerprints: the baseline's; else the first commit's id; a constant before there is one."""
    if accepted.baseline is not None:
        return accepted.baseline.key
    return _NO_REPOSITORY if root is None else first_commit(Git(root))


def first_commit(git: Git) -> bytes:
    """Give the id of the first commit of HEAD's first-parent line; a constant before there is one."""
    roots = git.run("rev-list", "--max-parents=0", "--first-parent", "HEAD", "--", ok=(0, 128)).split()
    return roots[-1] if roots else _NO_REPOSITORY


def base_policy(root: Path, base: str, head: Config) -> tuple[Config, tuple[Path, ...], tuple[str, ...]]:
    """Give the configuration that counts for a change to ``base``, its rule folders, and what to tell the user."""
    commit = _Commit(root, base)
    config = commit.config(head)
    if head.path is None and not (root / ".git").exists():
        return config, commit.rule_folders(config), ()  # a bare repository has no other policy
    strict = tightened_config(config, head)
    told = (f"the policy of {base} counts: what the change loosens is ignored",) if loosened(config, head) else ()
    return strict, commit.rule_folders(strict), told


def allowlist_notices(allowlist: Allowlist, *, whole: bool) -> list[str]:
    """Name the entries that have expired and, after a scan of the ``whole`` project, those of no use."""
    notices = [f"allowlist: expired on {entry.expires}: {describe(entry)}" for entry in allowlist.expired]
    return notices + [f"allowlist: covers nothing: {describe(entry)}" for entry in allowlist.unused if whole]


class _Commit:
    """The policy as a commit has it."""

    def __init__(self, root: Path, commit: str) -> None:
        self._root = root
        self._git = Git(root)
        self._commit = commit

    def config(self, head: Config) -> Config:
        names = [CONFIG_NAME, PYPROJECT]
        if head.path is not None and head.path.resolve().is_relative_to(self._root):
            names.insert(0, head.path.resolve().relative_to(self._root).as_posix())
        for name in names:
            text = self._blob(name)
            if text is not None and (name.endswith(CONFIG_NAME) or b"[tool.hygiene" in text):
                return parse_config(text, self._root / name)
        return Config()

    def baseline(self) -> Baseline | None:
        text = self._blob(BASELINE_NAME)
        return None if text is None else parse_baseline(text, f"{self._commit}:{BASELINE_NAME}")

    def rule_folders(self, config: Config) -> tuple[Path, ...]:
        return tuple(self._extracted(folder) for folder in config.rule_folders)

    def _extracted(self, folder: str) -> Path:
        """Write the commit's rule files of ``folder`` into a private folder, named by their tree, and give it."""
        place = f"{self._commit}:{folder.strip('/')}"
        tree = os.fsdecode(self._git.run("rev-parse", "--verify", "--quiet", place, ok=(0, 1, 128)).strip())
        if not tree:
            raise ConfigError(f"{self._commit} has no rule folder {folder}")
        target = make_private_folder(cache_folder() / f"base-rules-{tree}")
        for name in self._names(tree):
            write_atomic(target / name, self._git.run("cat-file", "blob", f"{tree}:{name}"))
        return target

    def _names(self, tree: str) -> Sequence[str]:
        listing = self._git.run("ls-tree", "--name-only", "-z", tree)
        return [os.fsdecode(name) for name in listing.split(b"\0") if name.endswith(b".toml")]

    def _blob(self, path: str) -> bytes | None:
        return self._git.run("cat-file", "blob", f"{self._commit}:{path}", ok=(0, 128)) or None
