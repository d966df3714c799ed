"""The JSON schema of ``.hygiene.toml``, for editors; ``configfile`` is what decides."""

from __future__ import annotations

from typing import Any

from hygiene.config import Allow
from hygiene.configfile import ON_LEAK, VERBS
from hygiene.finding import CONFIDENCES

_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_ABOUT_ALLOW = {
    "reason": "Why it is accepted: for whoever reads this later.",
    "rule": "The rule's id, as `hygiene rules list` has it.",
    "path": "A glob; every place of the leak has to match.",
    "fingerprint": "As a finding shows it.",
    "value": "A regular expression that the value has to hold.",
    "commit": "A commit's id, at least its first seven characters.",
}


def config_schema() -> dict[str, Any]:
    """Give the schema (JSON Schema draft-07) of the file's tables."""
    settings = {"type": "object", "additionalProperties": _STRING}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "hygiene's configuration (.hygiene.toml, or [tool.hygiene] in pyproject.toml)",
        **_table(
            {
                "scan": _table(
                    {
                        "exclude": _about(_STRINGS, "Globs; what matches is listed as skipped, never silent."),
                        "min_confidence": _about({"enum": [*CONFIDENCES]}, "Report from here upwards (medium)."),
                        "max_file_bytes": _about({"type": "integer"}, "Leave larger files out; 0 is no limit."),
                    }
                ),
                "rules": _table(
                    {
                        "disable": _about(_STRINGS, "Ids of rules that do not apply here."),
                        "folders": _about(_STRINGS, "Folders with own rules, beside the built-in ones."),
                        "only": _about({"type": "boolean"}, "Drop the built-in rules."),
                    }
                ),
                "allow": {"type": "array", "items": _allow()},
                "stores": _by_name(_table({"uri": _about(_STRING, "Such as vault://secret/shop.")}, "uri")),
                "roles": _by_name(_table({"members": _STRINGS, "paths": _STRINGS, "may": _array({"enum": [*VERBS]})})),
                "rotation": _table(
                    {
                        "max_age": _about(_STRING, "Such as 90d."),
                        "window": _about(_STRING, "When rotations may begin: Sat,Sun 02:00-05:00 (UTC)."),
                        "secrets": _array(
                            _table(
                                {
                                    **dict.fromkeys(("names", "provider", "max_age", "window"), _STRING),
                                    "consumers": _STRINGS,
                                    "on_leak": {"enum": [*ON_LEAK]},
                                    "copies": _STRINGS,
                                    "settings": settings,
                                },
                                "names",
                            )
                        ),
                    }
                ),
                "expiry": _table(
                    {
                        "when": _about({"enum": ["refuse", "warn"]}, "What is done with an expired secret (refuse)."),
                        "after": _about(
                            _STRING, "How long any version lives, such as 365d, whatever it says of itself."
                        ),
                    }
                ),
                "providers": _by_name(
                    _table({"admin": {"type": "string", "pattern": "^ref\\+"}, "hosts": _STRINGS, "settings": settings})
                ),
            }
        ),
    }


def _allow() -> dict[str, Any]:
    fields: dict[str, Any] = {key: _about(_STRING, _ABOUT_ALLOW[key]) for key in Allow._fields if key != "expires"}
    fields["reason"] |= {"minLength": 1}
    fields["expires"] = _about({}, "The last day on which it holds (a TOML date).")
    conditions = [key for key in Allow._fields if key not in ("reason", "expires")]
    return {**_table(fields, "reason"), "anyOf": [{"required": [key]} for key in conditions]}


def _table(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    table = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**table, "required": [*required]} if required else table


def _by_name(table: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": table}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _about(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description}
