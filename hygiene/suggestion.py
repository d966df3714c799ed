"""What a misspelt word of a file or command was probably meant to be."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


def suggest(word: str, known: Sequence[str]) -> str:
    """Ask whether the word of ``known`` that is nearest to ``word`` was meant; "" where none is near."""
    near = get_close_matches(word, known, 1)
    return f"did you mean {near[0]!r}?" if near else ""
