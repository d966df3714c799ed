"""Where rules come from, without reading them: what the cache of compiled rules is keyed by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hygiene.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]
_SHIPPED = _PACKAGE / "_rules"


class RuleChoice(NamedTuple):
    """Which rules a run uses."""

    folders: tuple[Path, ...] = ()  # beside the built-in ones
    disable: tuple[str, ...] = ()
    only: bool = False  # without the built-in ones


def built_in_folder() -> Path:
    """Where the built-in rules lie: inside the wheel, or beside the package in a checkout."""
    return _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent / "rules"


def deciding_files(choice: RuleChoice) -> list[Path]:
    """List the files whose state decides on the rules of ``choice``.

    The built-in rules of an installed package are replaced as a whole, so their folder stands for some 270 files.
    """
    own = rule_files(RuleChoice(choice.folders, choice.disable, only=True))
    if choice.only:
        return own
    folder = built_in_folder()
    return [folder, *own] if folder == _SHIPPED else [*_files(folder), *own]


def rule_files(choice: RuleChoice) -> list[Path]:
    """List the rule files of ``choice``. Raises ConfigError for a folder that is not there."""
    folders = choice.folders if choice.only else (built_in_folder(), *choice.folders)
    return [path for folder in folders for path in _files(folder)]


def _files(folder: Path) -> Sequence[Path]:
    if folder.is_file():
        return (folder,)
    if not folder.is_dir():
        raise ConfigError(f"there is no folder of rules at {folder}", hint="see [rules] folders, or --rules")
    return sorted(folder.glob("*.toml"))
