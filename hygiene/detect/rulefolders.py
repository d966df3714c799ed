"""Where rules come from, without reading them: what the cache of compiled rules is keyed by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hygiene.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]
_SHIPPED = _PACKAGE / "rules.tar.gz"  # of a wheel; see hatch_build.py


class RuleChoice(NamedTuple):
    """Which rules a run uses."""

    folders: tuple[Path, ...] = ()  # beside the built-in ones
    disable: tuple[str, ...] = ()
    only: bool = False  # without the built-in ones


def built_in_folder() -> Path:
    """Where the built-in rules lie: packed inside the wheel, or in a folder beside the package in a checkout."""
    return _SHIPPED if _SHIPPED.is_file() else _PACKAGE.parent / "rules"


def deciding_files(choice: RuleChoice) -> list[Path]:
    """List the files whose state decides on the rules of ``choice``."""
    return rule_files(choice.folders if choice.only else (built_in_folder(), *choice.folders))


def rule_files(folders: Sequence[Path]) -> list[Path]:
    """List the rule files in ``folders``, or files. Raises ConfigError for a folder that is not there."""
    return [path for folder in folders for path in _files(folder)]


def _files(folder: Path) -> Sequence[Path]:
    if folder.is_file():
        return (folder,)
    if not folder.is_dir():
        raise ConfigError(f"there is no folder of rules at {folder}", hint="see [rules] folders, or --rules")
    return sorted(folder.glob("*.toml"))
