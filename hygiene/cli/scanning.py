"""Opens what a scan works with: configuration, rules, what was accepted. Free of click, and light, for the hooks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, cast

from hygiene.config import Config, find_config, read_config
from hygiene.detect.examine import Examiner
from hygiene.detect.registry import Loaded, Used, load_engine
from hygiene.detect.rulefolders import RuleChoice
from hygiene.places import cache_folder

if TYPE_CHECKING:
    from hygiene.detect.findings import Accepted
    from hygiene.detect.match import Engine


class Wishes(NamedTuple):
    """What the command line asks for; empty where it says nothing."""

    config: str = ""
    baseline: str = ""
    no_baseline: bool = False
    rules: tuple[str, ...] = ()
    min_confidence: str = ""
    engine: str = ""
    plugins: str = ""  # a baseline of detect-secrets whose own plugins are to run


class Scanning(NamedTuple):
    """What a scan works with."""

    config: Config
    examiner: Examiner
    accepted: Callable[[], Accepted]  # baseline and allowlist, read when first asked for
    digest: str  # of rules and engine
    used: Used
    notices: tuple[str, ...] = ()


def open_scanning(
    start: Path, root: Path | None, wishes: Wishes, *, base: str = "", load: Callable[..., Loaded] = load_engine
) -> Scanning:
    """Open what a scan in ``start`` needs, inside the repository at ``root`` if there is one.

    With ``base``, a commit, its policy counts; the one in ``start`` may only tighten it. ``load`` gives the engine, as
    ``load_engine`` does. Raises ConfigError.
    """
    config = read_config(Path(wishes.config) if wishes.config else find_config(_folder(start), root))
    notices: tuple[str, ...] = ()
    folders = tuple((config.path.parent if config.path else start) / folder for folder in config.rule_folders)
    if base and root is not None:
        config, folders, notices = _acceptance().base_policy(root, base, config)
    final = config
    choice = RuleChoice((*folders, *map(Path, wishes.rules)), config.disable, config.only_own_rules)
    loaded = load(choice, cache_folder(), kind=wishes.engine)
    accepted = cache(lambda: _acceptance().open_accepted(final, start, root, wishes, base))
    key = cache(lambda: _acceptance().fingerprint_key(root, accepted()))
    return Scanning(
        config=config,
        examiner=_examiner(loaded.engine, key, wishes.min_confidence or config.min_confidence, wishes.plugins),
        accepted=accepted,
        digest=loaded.digest,
        used=loaded.used,
        notices=(*notices, *((loaded.notice,) if loaded.notice else ())),
    )


def _examiner(engine: Engine, key: Callable[[], bytes], least: str, plugins: str) -> Examiner:
    if not plugins:
        return Examiner(engine, key, least)
    theirs = import_module("hygiene.detect.foreign.registry").plugins_module()
    return cast(Examiner, theirs.PluginExaminer(engine, key, least, theirs.load_plugins(Path(plugins))))


def _folder(start: Path) -> Path:
    return start if start.is_dir() else start.parent


def _acceptance() -> ModuleType:
    """Import what reads baselines and merges policies: a commit without findings needs none of it."""
    return import_module("hygiene.cli.acceptance")
