"""Several values in one stored secret: a JSON object, whose fields references may name."""

from __future__ import annotations

import json
from typing import Any

from hygiene.secret import Secret


def fields_of(secret: Secret) -> dict[str, Any] | None:
    """Give the fields of a stored JSON object, or None for another value."""
    try:
        document = json.loads(secret.reveal())
    except (ValueError, RecursionError):
        return None  # and not raised on: the decoder's error quotes the value
    return document if isinstance(document, dict) else None
