"""Reads the text of a configuration.

An unknown key is an error with a suggestion: a misspelt rule of a security tool must not be inert.
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from hygiene.config import PYPROJECT, Allow, Config, ProviderSettings, Role, RotationPolicy
from hygiene.errors import ConfigError
from hygiene.finding import CONFIDENCES
from hygiene.suggestion import suggest

ON_LEAK = ("rotate", "queue", "ask")
VERBS = ("read", "write", "rotate", "delete", "grant")
_TOP = ("scan", "rules", "allow", "stores", "roles", "rotation", "expiry", "providers")


def parse(text: bytes, path: Path) -> Config:
    """Read a configuration from ``text``; ``path`` says which kind it is. Raises :class:`ConfigError`."""
    try:
        document = tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    if path.name == PYPROJECT:
        document = document.get("tool", {}).get("hygiene", {})
    return _Reader(str(path)).config(document, path)


class _Reader:
    """Checks each key, and says where a wrong one stands."""

    def __init__(self, source: str) -> None:
        self._source = source

    def config(self, document: dict[str, Any], path: Path) -> Config:
        self._keys("", document, _TOP)
        scan = self._table(document, "scan", ("exclude", "min_confidence", "max_file_bytes"))
        rules = self._table(document, "rules", ("disable", "folders", "only"))
        rotation = self._table(document, "rotation", ("max_age", "window", "secrets"))
        expiry = self._table(document, "expiry", ("when", "after"))
        return Config(
            exclude=self._strings("scan", scan, "exclude"),
            min_confidence=self._choice("scan", scan, "min_confidence", CONFIDENCES, "medium"),
            max_file_bytes=self._value("scan", scan, "max_file_bytes", int, 0),
            disable=self._strings("rules", rules, "disable"),
            rule_folders=self._strings("rules", rules, "folders"),
            only_own_rules=self._value("rules", rules, "only", bool, False),
            allow=tuple(self._allow(entry) for entry in self._list(document, "allow")),
            stores=self._stores(document),
            roles=tuple(self._role(name, table) for name, table in self._tables(document, "roles")),
            rotation_max_age=self._value("rotation", rotation, "max_age", str, ""),
            rotation_window=self._value("rotation", rotation, "window", str, ""),
            rotation=tuple(self._policy(entry) for entry in self._list(rotation, "secrets")),
            expiry_when=self._choice("expiry", expiry, "when", ("refuse", "warn"), "refuse"),
            expiry_after=self._value("expiry", expiry, "after", str, ""),
            providers={name: self._provider(name, table) for name, table in self._tables(document, "providers")},
            path=path,
        )

    def _stores(self, document: dict[str, Any]) -> dict[str, str]:
        stores = {}
        for name, table in self._tables(document, "stores"):
            self._keys(f"stores.{name}", table, ("uri",))
            stores[name] = self._value(f"stores.{name}", table, "uri", str, "")
        return stores

    def _allow(self, entry: Any) -> Allow:
        if not isinstance(entry, dict):
            raise self._error("allow", "is a list of tables: write [[allow]]")
        self._keys("allow", entry, Allow._fields)
        allow = Allow(
            **{key: self._value("allow", entry, key, str, "") for key in Allow._fields if key != "expires"},
            expires=self._value("allow", entry, "expires", date, None),
        )
        if not allow.reason:
            raise self._error("allow", "each entry needs a reason")
        if not any((allow.rule, allow.path, allow.fingerprint, allow.value, allow.commit)):
            raise self._error("allow", "an entry needs at least one of rule, path, fingerprint, value, commit")
        return allow

    def _role(self, name: str, table: dict[str, Any]) -> Role:
        where = f"roles.{name}"
        self._keys(where, table, ("members", "paths", "may"))
        may = self._strings(where, table, "may")
        for verb in may:
            if verb not in VERBS:
                raise self._error(f"{where}.may", f"unknown verb {verb!r}", suggest(verb, VERBS))
        return Role(name, self._strings(where, table, "members"), self._strings(where, table, "paths"), may)

    def _provider(self, name: str, table: dict[str, Any]) -> ProviderSettings:
        where = f"providers.{name}"
        self._keys(where, table, ("admin", "hosts", "settings"))
        admin = self._value(where, table, "admin", str, "")
        if admin and not admin.startswith("ref+"):
            raise self._error(f"{where}.admin", "must be a reference (ref+…), never the credential itself")
        return ProviderSettings(name, admin, self._strings(where, table, "hosts"), self._settings(where, table))

    def _policy(self, entry: Any) -> RotationPolicy:
        where = "rotation.secrets"
        if not isinstance(entry, dict):
            raise self._error(where, "is a list of tables: write [[rotation.secrets]]")
        self._keys(where, entry, RotationPolicy._fields)
        words = {key: self._value(where, entry, key, str, "") for key in ("names", "provider", "max_age", "window")}
        if not words["names"]:
            raise self._error(where, "each entry needs names, a glob such as shop/*")
        return RotationPolicy(
            **words,
            consumers=self._strings(where, entry, "consumers"),
            on_leak=self._choice(where, entry, "on_leak", ON_LEAK, ON_LEAK[0]),
            copies=self._strings(where, entry, "copies"),
            settings=self._settings(where, entry),
        )

    def _settings(self, where: str, table: dict[str, Any]) -> dict[str, str]:
        settings = self._table(table, "settings", tuple(table.get("settings", {})))
        return {key: self._value(f"{where}.settings", settings, key, str, "") for key in settings}

    def _tables(self, document: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
        table = document.get(key, {})
        if not isinstance(table, dict) or not all(isinstance(value, dict) for value in table.values()):
            raise self._error(key, f"holds tables by name: write [{key}.NAME]")
        return list(table.items())

    def _table(self, document: dict[str, Any], key: str, known: tuple[str, ...]) -> dict[str, Any]:
        table = document.get(key, {})
        if not isinstance(table, dict):
            raise self._error(key, f"is a table: write [{key}]")
        self._keys(key, table, known)
        return table

    def _list(self, document: dict[str, Any], key: str) -> list[Any]:
        value = document.get(key, [])
        if not isinstance(value, list):
            raise self._error(key, f"is a list of tables: write [[{key}]]")
        return value

    def _strings(self, where: str, table: dict[str, Any], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(f"{where}.{key}", "is a list of strings")
        return tuple(value)

    def _choice(self, where: str, table: dict[str, Any], key: str, known: tuple[str, ...], default: str) -> str:
        value: str = self._value(where, table, key, str, default)
        if value not in known:
            raise self._error(f"{where}.{key}", f"{value!r} is none of {', '.join(known)}", suggest(value, known))
        return value

    def _value(self, where: str, table: dict[str, Any], key: str, kind: type, default: Any) -> Any:
        value = table.get(key, default)
        if value is not default and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise self._error(f"{where}.{key}", f"is of type {kind.__name__}, not {type(value).__name__}")
        return value

    def _keys(self, where: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                place = f"{where}.{key}" if where else key
                raise self._error(place, "unknown key", suggest(key, known) or f"known are {', '.join(known)}")

    def _error(self, place: str, problem: str, hint: str = "") -> ConfigError:
        return ConfigError(f"{self._source}: {place}: {problem}", hint=hint)
