"""Rules: what a credential looks like, how to tell a real one, and what to do about it.

A :class:`Rule` is plain data (strings, bytes, numbers, tuples, dicts), so that a whole :class:`RuleSet` can be cached
with ``marshal`` and hooks need not read TOML. :func:`rules_digest` says cheaply whether a cached set still holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from hygiene import __version__
from hygiene.detect.rulefolders import RuleChoice, built_in_folder, rule_files
from hygiene.errors import ConfigError


class Rule(NamedTuple):
    """One kind of credential."""

    id: str
    provider: str  # the provider's id: the name of its file
    description: str
    severity: str  # one of hygiene.finding.SEVERITIES
    confidence: str  # one of hygiene.finding.CONFIDENCES, before checksum and classifier
    keywords: tuple[bytes, ...]  # one of them stands in every match, in any case: for a prefilter
    pattern: bytes  # borders included; the secret is group 1
    checksum: str = ""  # a name in hygiene.detect.checksum.CHECKS
    exclude_paths: tuple[str, ...] = ()  # globs
    exclude_values: tuple[str, ...] = ()  # patterns, searched in the secret
    family: str = ""  # rules of one family give one secret the same fingerprint
    priority: int = 50  # where two rules match overlapping secrets, the higher one speaks
    generic: bool = False  # a candidate that the classifier judges
    impact: str = ""  # what its holder can do
    docs: str = ""
    positive: tuple[str, ...] = ()  # templates, see hygiene.detect.template
    negative: tuple[str, ...] = ()
    verify: Mapping[str, Any] = {}  # a request and what answers mean, or steps and a link
    rotate: Mapping[str, Any] = {}
    revoke: Mapping[str, Any] = {}


class RuleSet(NamedTuple):
    """The rules of a run, in the order of their ids, and a digest of all that went into them."""

    rules: tuple[Rule, ...]
    digest: str


def rules_digest(folders: Sequence[Path] = (), *, disable: Sequence[str] = (), only: bool = False) -> str:
    """Give a digest of the rule files and settings, without reading their TOML; the one of :func:`load_rules`."""
    return _digest(_read_files(folders, only), disable, only)


def load_rules(folders: Sequence[Path] = (), *, disable: Sequence[str] = (), only: bool = False) -> RuleSet:
    """Read the built-in rules and those in ``folders``, without the rules named in ``disable``.

    With ``only`` the built-in ones are left out. Raises ConfigError for a broken file or rule, for an id that
    stands twice, and for an unknown id in ``disable``.
    """
    # Imported here, so that a run with a cached rule set does not pay for the TOML reader.
    from hygiene.detect.rulefile import parse_rule_file  # noqa: PLC0415

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
    return [(path, _read(path)) for path in rule_files(RuleChoice(tuple(folders), only=only))]


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
            near = get_close_matches(name, rules, 1)
            hint = f"did you mean {near[0]!r}?" if near else "see hygiene rules list"
            raise ConfigError(f"[rules] disable names an unknown rule: {name!r}", hint=hint)
