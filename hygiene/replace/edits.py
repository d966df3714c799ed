"""Edits as data: found first, planned, then applied from the end backwards, atomically."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from hygiene.errors import ConflictError


class Edit(NamedTuple):
    """One replacement of the bytes ``[start, end)``."""

    start: int
    end: int
    replacement: bytes


def digest(content: bytes) -> str:
    """Give the pre-image hash of ``content`` (SHA-256, hex)."""
    return hashlib.sha256(content).hexdigest()


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """Give ``content`` with ``edits`` made; bytes outside of them stay as they are.

    The same edit twice counts once; an empty insertion point may hold several distinct ones, in their order.
    Raises :class:`ConflictError` for edits that overlap or lie outside.
    """
    ordered = sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end))
    parts: list[bytes] = []
    position = 0
    for edit in ordered:
        if edit.start < position or edit.end < edit.start or edit.end > len(content):
            raise ConflictError(f"edits overlap at byte {edit.start}")
        parts += (content[position : edit.start], edit.replacement)
        position = edit.end
    parts.append(content[position:])
    return b"".join(parts)
