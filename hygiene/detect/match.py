"""What matching needs of a rule, what a match is, and what finds one: plain values that the rule cache stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Pattern(NamedTuple):
    """The part of a rule that the hot path carries; marshalled, so of plain types only."""

    id: str
    description: str
    severity: str
    confidence: str
    pattern: bytes  # in the syntax that Hyperscan and Python's re share; group 1 or the whole is the secret
    width: int  # the longest match in bytes, at most MAX_WIDTH
    keywords: tuple[bytes, ...] = ()  # lower case; one of them occurs in or just before the match; none: no such demand
    checksum: str = ""
    exclude_paths: tuple[str, ...] = ()  # globs
    exclude_values: tuple[str, ...] = ()  # patterns, searched for in the secret
    generic: bool = False  # only a hint for the classifier
    priority: int = 0  # where two overlap, the higher one stays
    fast: bytes = b""  # a simpler pattern that matches wherever the pattern does; empty: the pattern itself
    family: str = ""  # rules of one family give a secret the same fingerprint


class Match(NamedTuple):
    """Half-open byte offsets of one match and of the secret inside it.

    A generic rule only says where to look: its matches are empty, at the place where its pattern ended.
    """

    rule: int
    start: int
    end: int
    secret_start: int
    secret_end: int


class Hit(NamedTuple):
    """A finding on its way from a worker: plain values only, since it is marshalled. It holds the value itself."""

    blob: str
    path: str
    rule: int
    start: int
    end: int
    line_start: int
    column_start: int
    line_end: int
    column_end: int
    secret: bytes
    fingerprint: str
    confidence: str
    reasons: tuple[str, ...]
    encoding: str
    allowed: str  # the reason of the mark beside it, or ""


class Engine(Protocol):
    """Finds what the rules describe."""

    name: str
    patterns: Sequence[Pattern]

    def matches(self, data: bytes) -> list[Match]:
        """Give all matches in ``data``, ordered by rule, then by place."""
        ...


def first_hint(patterns: Sequence[Pattern]) -> int:
    """Give the index of the first hint at encoded text; the rules stand before it."""
    return next((index for index, pattern in enumerate(patterns) if pattern.id.startswith(HINT)), len(patterns))


HINT = "encoded:"  # a pattern with such an id is no rule, but hints at encoded text; its encoding follows
MAX_WIDTH = 32 << 10  # bytes; longer matches are not looked for, so that windows may overlap by a fixed length
NEAR = 128  # bytes before a match in which its keyword may stand
CLOSE = 4  # bytes: matches of a generic rule that end so near to one before say nothing new
