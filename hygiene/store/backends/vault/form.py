"""How a value lies in a KV entry, which is a JSON object.

Text lies under ``value`` and bytes that are no text under ``value_base64``. A flat JSON object of strings lies
as itself, so that other tools read its fields; its order and spacing are noted, so that it comes back byte for byte.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from hygiene.errors import StoreError
from hygiene.secret import Secret

TEXT = "value"
BINARY = "value_base64"
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}\Z")
_STYLES: Mapping[str, tuple[str, str]] = {"d": (", ", ": "), "c": (",", ":")}  # default, compact
_LONGEST_NOTE = 300  # a custom_metadata value of Vault has 512 bytes for all that we note


def entry_from(secret: Secret) -> tuple[dict[str, str], str]:
    """Give the KV entry for ``secret`` and the note on its form."""
    try:
        text = secret.reveal().decode()
    except UnicodeDecodeError:
        return {BINARY: base64.b64encode(secret.reveal()).decode()}, "b"
    fields = _flat_object(text)
    for style, separators in _STYLES.items() if fields else ():
        note = f"{style}:{','.join(fields)}"
        if len(note) <= _LONGEST_NOTE and json.dumps(fields, separators=separators, ensure_ascii=False) == text:
            return fields, note
    return {TEXT: text}, "t"


def secret_from(entry: Mapping[str, Any], note: str, name: str) -> Secret:
    """Give the value that ``entry`` holds; ``note`` is empty for an entry that something else wrote."""
    style, _, keys = note.partition(":")
    if style == "b" or (not note and entry.keys() == {BINARY}):
        try:
            return Secret(base64.b64decode(str(entry[BINARY]), validate=True))
        except (KeyError, binascii.Error, ValueError):
            raise StoreError(f"the entry of {name} is not what its note says") from None
    if style == "t" or (not note and entry.keys() == {TEXT} and isinstance(entry[TEXT], str)):
        return Secret.from_text(str(entry.get(TEXT, "")))
    order = keys.split(",") if keys else sorted(entry)
    if set(order) != set(entry):
        raise StoreError(f"the entry of {name} is not what its note says")
    fields = {key: entry[key] for key in order}
    return Secret.from_text(json.dumps(fields, separators=_STYLES.get(style, (", ", ": ")), ensure_ascii=False))


def _flat_object(text: str) -> dict[str, str]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    flat = isinstance(fields, dict) and all(isinstance(value, str) for value in fields.values())
    plain = flat and all(_PLAIN_KEY.match(key) for key in fields) and not fields.keys() & {TEXT, BINARY}
    return fields if plain else {}
