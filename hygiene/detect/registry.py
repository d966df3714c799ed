"""What detection loads only when it is needed: the engine that this machine has, the rules when the cache is cold, all
that judges and describes when something matched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hygiene.detect.glance.ready import state_of
from hygiene.detect.match import Engine, Pattern
from hygiene.detect.rulecache import (
    CompiledRules,
    State,
    cache_key,
    compiled_path,
    maker_sums,
    read_compiled,
    rule_states,
    write_compiled,
)
from hygiene.detect.rulefolders import RuleChoice, deciding_files

if TYPE_CHECKING:
    from hygiene.detect.decode import Decoder
    from hygiene.detect.guess import Guess
    from hygiene.detect.judge import Judge
    from hygiene.detect.versions import Versions

_MODEL = Path(__file__).with_name("model") / "generic.bin"
NOTICE = "the hyperscan wheel is missing: scanning with Python's re gives the same results, many times slower"


class Used(NamedTuple):
    """The rules of a run, and what they depend on."""

    patterns: Sequence[Pattern]
    states: Sequence[State]  # of all files and folders that decide on them, as they were before they were read
    path: Path  # the file of the cache that holds them
    database_size: int  # bytes, at its end; 0 for an engine that needs none


class Loaded(NamedTuple):
    """An engine with the rules of a run."""

    engine: Engine
    digest: str  # of the rules, the engine and the model: what decides on what is found
    used: Used
    notice: str = ""  # what the user should know about the engine


def load_engine(choice: RuleChoice, cache: Path, *, kind: str = "") -> Loaded:
    """Give the engine for ``choice``, from the ``cache`` folder where that holds it.

    ``kind`` is hyperscan or re; without it, the best there is. Raises ConfigError for broken rules.
    """
    module = _engine_module(kind)
    states = rule_states(deciding_files(choice))
    folders = tuple(state_of(str(folder)) for folder in choice.folders)  # a new file in one changes it
    content = os.environ.get("HYGIENE_CACHE_KEY") == "content"
    key = _by_content(choice, module) if content else cache_key(states, _settings(choice), module.NAME)
    compiled = read_compiled(cache, key)
    engine = _open(module, compiled) if compiled else None
    if compiled is None or engine is None:
        compiled = _compile(module, choice)
        write_compiled(cache, key, compiled)
        engine = cast(Engine, module.open_engine(compiled.patterns, compiled.database))
    used = Used(engine.patterns, (*states, *folders), compiled_path(cache, key), len(compiled.database))
    digest = f"{compiled.digest} {module.NAME} {_model_state()}"
    return Loaded(engine, digest, used, "" if module.NAME.startswith("hyperscan") else NOTICE)


def content_key(choice: RuleChoice) -> str:
    """Say what the compiled rules for ``choice`` depend on, the same in every copy of the files."""
    return _by_content(choice, _engine_module(""))


def load_judge(patterns: Sequence[Pattern], key: Callable[[], bytes], min_confidence: str) -> Judge:
    """Import and make what judges matches: most commits have none."""
    return cast("Judge", import_module("hygiene.detect.judge").Judge(patterns, key, min_confidence))


def load_classifier() -> Callable[[bytes, str, Sequence[int]], Iterator[Guess]]:
    """Import what decides on generic credentials: bytes, path and the offsets to look at → guesses."""
    return cast("Callable[[bytes, str, Sequence[int]], Iterator[Guess]]", import_module("hygiene.detect.guess").guesses)


def load_decoder(engine: Engine, judge: Judge) -> Decoder:
    """Import and make what reads encoded text: most blobs hold none."""
    return cast("Decoder", import_module("hygiene.detect.decode").Decoder(engine, judge))


def load_versions(engine: Engine) -> Versions:
    """Import and make what matches versions of files: only a history has those."""
    return cast("Versions", import_module("hygiene.detect.versions").Versions(engine))


def load_findings() -> ModuleType:
    """Import what makes findings of hits: most commits have none."""
    return import_module("hygiene.detect.findings")


def _by_content(choice: RuleChoice, module: ModuleType) -> str:
    rules = import_module("hygiene.detect.rules")
    digest = rules.rules_digest(choice.folders, disable=choice.disable, only=choice.only)
    return cache_key(maker_sums(), (digest, *_settings(choice)), module.NAME)


def _settings(choice: RuleChoice) -> tuple[str, ...]:
    return (*choice.disable, str(choice.only))


def _engine_module(kind: str) -> Any:
    if kind != "re":
        try:
            return import_module("hygiene.detect.engine")
        except ImportError:
            if kind:
                raise
    return import_module("hygiene.detect.engine_re")


def _compile(module: Any, choice: RuleChoice) -> CompiledRules:
    rules = import_module("hygiene.detect.rules").load_rules(choice.folders, disable=choice.disable, only=choice.only)
    patterns: tuple[Pattern, ...] = import_module("hygiene.detect.compile").patterns_from_rules(rules)
    return CompiledRules(patterns, rules.digest, module.compile_database(patterns))


def _open(module: Any, compiled: CompiledRules) -> Engine | None:
    """Open the engine; None for a database that is damaged, or was made for another CPU."""
    try:
        return cast(Engine, module.open_engine(compiled.patterns, compiled.database))
    except module.DamagedDatabase:
        return None


def _model_state() -> str:
    try:
        status = _MODEL.stat()
    except FileNotFoundError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
