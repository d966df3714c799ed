"""The rules in force: the built-in ones and the user's own, read from their folders.

Hooks need not read TOML: :func:`rules_digest` says cheaply whether a cached set still holds.
"""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from hygiene import __version__
from hygiene.detect.rule import Rule, RuleSet
from hygiene.detect.rulefile import parse_rule_file
from hygiene.detect.rulefolders import built_in_folder, rule_files
from hygiene.errors import ConfigError
from hygiene.suggestion import suggest

__all__ = ["Rule", "RuleSet", "load_rules", "rules_digest"]


def rules_digest(folders: Sequence[Path] = (), *, disable: Sequence[str] = (), only: bool = False) -> str:
    """Give a digest of the rule files and settings, without reading their TOML; the one of :func:`load_rules`."""
    return _digest(_read_files(folders, only), disable, only)


def load_rules(folders: Sequence[Path] = (), *, disable: Sequence[str] = (), only: bool = False) -> RuleSet:
    """Read the built-in rules and those in ``folders``, without the rules named in ``disable``.

    With ``only`` the built-in ones are left out. Raises ConfigError for a broken file or rule, for an id that
    stands twice, and for an unknown id in ``disable``.
    """
    files = _read_files(folders, only)
    built_in = built_in_folder()
    rules: dict[str, Rule] = {}
    for path, text in files:
        for rule in parse_rule_file(text, str(path), trusted=path.parent == built_in):
            if rule.id in rules:
                raise ConfigError(
                    f"{path}: the rule id {rule.id!r} is taken by another rule ({rules[rule.id].provider})",
                    hint="choose another id; to replace a built-in rule, also name it in [rules] disable",
                )
            rules[rule.id] = rule
    _refuse_unknown(disable, rules)
    kept = tuple(rules[name] for name in sorted(rules) if name not in set(disable))
    return RuleSet(kept, _digest(files, disable, only))


def _read_files(folders: Sequence[Path], only: bool) -> list[tuple[Path, bytes]]:
    own = [(path, _read(path)) for path in rule_files(folders)]
    return own if only else [*_read_built_in(), *own]


def _read_built_in() -> list[tuple[Path, bytes]]:
    place = built_in_folder()
    if place.is_dir():
        return [(path, _read(path)) for path in rule_files([place])]
    with tarfile.open(place) as archive:
        opened = [(place / member.name, archive.extractfile(member)) for member in archive]
        return [(path, file.read()) for path, file in opened if file]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the rules in {path}: {error.strerror}") from error


def _digest(files: Sequence[tuple[Path, bytes]], disable: Sequence[str], only: bool) -> str:
    digest = sha256(f"{__version__}\n{sorted(set(disable))}\n{only}\n".encode())
    for path, text in files:
        digest.update(f"{path.name}\n{len(text)}\n".encode("utf-8", "surrogateescape"))
        digest.update(text)
    return digest.hexdigest()


def _refuse_unknown(disable: Sequence[str], rules: Mapping[str, Rule]) -> None:
    for name in disable:
        if name not in rules:
            hint = suggest(name, [*rules]) or "see hygiene rules list"
            raise ConfigError(f"[rules] disable names an unknown rule: {name!r}", hint=hint)
