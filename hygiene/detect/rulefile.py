"""Reads one rule file: TOML with strict keys, since a misspelt key of a rule must not be inert."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from hygiene.detect.backtracking import check_pattern
from hygiene.detect.checksum import CHECKS
from hygiene.detect.pattern import fast_pattern, full_pattern
from hygiene.detect.rule import Rule
from hygiene.errors import ConfigError
from hygiene.finding import CONFIDENCES, SEVERITIES
from hygiene.suggestion import suggest

_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_ACTIONS = ("verify", "rotate", "revoke")
_PROVIDER_KEYS = ("id", "name", "docs", *_ACTIONS)
_PATTERN_KEYS = ("pattern", "before", "after", "context", "names")
_RULE_KEYS = (
    *("id", "description", "severity", "confidence", "impact", "docs", "keywords", *_PATTERN_KEYS, "checksum"),
    *("exclude", "family", "priority", "generic", "positive", "negative", *_ACTIONS),
)
_ACTION_KEYS = (
    *("steps", "link", "request", "headers", "basic", "form", "json", "body"),
    *("live", "dead", "done", "live_text", "dead_text", "done_text", "self", "value", "note", "not_for"),
    *("identity", "scopes", "parts", "read", "id", "overlap", "list", "discard", "withdraw"),
)
_BY_HAND = {  # for a kind that the provider's own request is not made for
    "verify": "Look it up where it was made: no call tells from outside whether this kind is live.",
    "rotate": "Make a new one where it came from, put it where the old one is used, then end the old one.",
    "revoke": "Delete or reset it where it was made.",
}


def parse_rule_file(text: bytes, source: str, *, trusted: bool = False) -> list[Rule]:
    """Read the rules in ``text``; ``source`` stands in messages.

    A ``trusted`` file is one of ours, whose patterns `hygiene rules check` has proved; the patterns of
    any other are checked here for syntax and for a time that grows out of hand. Raises ConfigError.
    """
    try:
        document = tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source} is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not TOML: {error}", hint="patterns go between ''' and '''") from error
    return _File(source, trusted).rules(document)


class _File:
    """Turns a document into rules; knows what to say of a wrong key, and where."""

    def __init__(self, source: str, trusted: bool) -> None:
        self._source = source
        self._trusted = trusted

    def rules(self, document: Mapping[str, Any]) -> list[Rule]:
        self._keys("", document, ("provider", "rules"))
        provider = self._table("provider", document.get("provider"))
        self._keys("provider", provider, _PROVIDER_KEYS)
        if not _ID.fullmatch(self._string("provider", provider, "id")):
            raise self._error("provider.id", "needs an id of lower-case letters, digits and hyphens")
        entries = document.get("rules", [])
        if not isinstance(entries, list):
            raise self._error("rules", "is a list of tables: write [[rules]]")
        return [self._rule(number, entry, provider) for number, entry in enumerate(entries, 1)]

    def _rule(self, number: int, entry: Any, provider: Mapping[str, Any]) -> Rule:
        table = self._table(f"rule {number}", entry)
        where = f"rule {table.get('id', number)}"
        self._keys(where, table, _RULE_KEYS)
        name = self._string(where, table, "id")
        if not _ID.fullmatch(name):
            raise self._error(where, "needs an id of lower-case letters, digits and hyphens")
        exclude = self._table(f"{where}.exclude", table.get("exclude", {}))
        self._keys(f"{where}.exclude", exclude, ("paths", "values"))
        return Rule(
            id=name,
            provider=provider["id"],
            description=self._needed(where, table, "description"),
            severity=self._choice(where, table, "severity", SEVERITIES),
            confidence=self._choice(where, table, "confidence", CONFIDENCES),
            keywords=self._keywords(where, table),
            pattern=self._pattern(where, table),
            fast=fast_pattern(
                table["pattern"],
                after=table.get("after"),
                context=self._strings(where, table, "context"),
                names=self._strings(where, table, "names"),
            ),
            checksum=self._checksum(where, table),
            exclude_paths=self._strings(where, exclude, "paths"),
            exclude_values=self._values(where, exclude),
            family=self._string(where, table, "family") or provider["id"],
            priority=self._number(where, table, "priority", 30 if "context" in table or "names" in table else 50),
            generic=self._flag(where, table, "generic"),
            impact=self._string(where, table, "impact"),
            docs=self._string(where, table, "docs") or self._string("provider", provider, "docs"),
            positive=self._strings(where, table, "positive"),
            negative=self._strings(where, table, "negative"),
            **{action: self._action(where, action, table, provider) for action in _ACTIONS},
        )

    def _pattern(self, where: str, table: Mapping[str, Any]) -> bytes:
        body = self._needed(where, table, "pattern")
        if not body.isascii():
            raise self._error(f"{where}.pattern", "holds a character outside ASCII; write its bytes as \\xNN")
        pattern = full_pattern(
            body,
            before=table.get("before"),
            after=table.get("after"),
            context=self._strings(where, table, "context"),
            names=self._strings(where, table, "names"),
        )
        if not self._trusted:
            problem = check_pattern(pattern)
            if problem:
                raise self._error(f"{where}.pattern", problem)
        return pattern

    def _keywords(self, where: str, table: Mapping[str, Any]) -> tuple[bytes, ...]:
        keywords = self._strings(where, table, "keywords")
        if not keywords or not all(keywords):
            raise self._error(f"{where}.keywords", "needs at least one text that stands in every match")
        return tuple(keyword.encode() for keyword in keywords)

    def _checksum(self, where: str, table: Mapping[str, Any]) -> str:
        name = self._string(where, table, "checksum")
        if name and name not in CHECKS:
            raise self._error(f"{where}.checksum", f"unknown check {name!r}", suggest(name, tuple(CHECKS)))
        return name

    def _values(self, where: str, exclude: Mapping[str, Any]) -> tuple[str, ...]:
        values = self._strings(where, exclude, "values")
        for value in values:
            problem = "" if self._trusted else check_pattern(value.encode())
            if problem:
                raise self._error(f"{where}.exclude.values", problem)
        return values

    def _action(self, where: str, action: str, table: Mapping[str, Any], provider: Mapping[str, Any]) -> dict[str, Any]:
        given = self._table(f"{where}.{action}", table.get(action, provider.get(action, {})))
        self._keys(f"{where}.{action}", given, _ACTION_KEYS)
        if action not in table and table.get("id") in given.get("not_for", ()):
            return {"steps": _BY_HAND[action], "link": self._string("provider", provider, "docs")}
        return {key: value for key, value in given.items() if key != "not_for"}

    def _table(self, where: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._error(where, f"is a table: write [{where}]")
        return value

    def _needed(self, where: str, table: Mapping[str, Any], key: str) -> str:
        value = self._string(where, table, key)
        if not value:
            raise self._error(where, f"needs a {key}")
        return value

    def _string(self, where: str, table: Mapping[str, Any], key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            raise self._error(f"{where}.{key}", "is a string")
        return value

    def _strings(self, where: str, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(f"{where}.{key}", "is a list of strings")
        return tuple(value)

    def _choice(self, where: str, table: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
        value = self._needed(where, table, key)
        if value not in known:
            raise self._error(f"{where}.{key}", f"{value!r} is none of {', '.join(known)}", suggest(value, known))
        return value

    def _number(self, where: str, table: Mapping[str, Any], key: str, default: int) -> int:
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
            raise self._error(f"{where}.{key}", "is a number from 0 to 100")
        return value

    def _flag(self, where: str, table: Mapping[str, Any], key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            raise self._error(f"{where}.{key}", "is true or false")
        return value

    def _keys(self, where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                place = f"{where}.{key}" if where else key
                raise self._error(place, "unknown key", suggest(key, known) or f"known are {', '.join(known)}")

    def _error(self, place: str, problem: str, hint: str = "") -> ConfigError:
        return ConfigError(f"{self._source}: {place}: {problem}", hint=hint)
