"""What a rewriter must do: replace the literals that hold secrets, by byte span, or say why it does not.

A rewriter is a pure function of a file's bytes. It does not know the store, and it sees a value only to tell
what the variable must hold so that the program behaves as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from hygiene.replace.edits import Edit
from hygiene.secret import Secret

SAFE = "safe"
NEEDS_WIRING = "needs-wiring"
MANUAL = "manual"

ENVIRONMENT = "environment"
SETTINGS = "settings"


class Target(NamedTuple):
    """A secret's place in a file, and what shall stand there instead."""

    start: int
    end: int
    variable: str  # environment name
    reference: str  # ref+STORE://…
    line: int = 1  # where it starts; for messages


class Style(NamedTuple):
    """How code reads what was a literal."""

    kind: str = ENVIRONMENT  # environment, or settings: an attribute of a module of the project
    module: str = "settings"  # for settings: where it is imported from


class File(NamedTuple):
    """A file to rewrite: UTF-8 without a byte order mark (see ``hygiene.replace.encoding``)."""

    path: str  # forward slashes, relative to the root of the repository
    content: bytes
    newline: bytes = b"\n"


class Change(NamedTuple):
    """One target rewritten."""

    target: Target
    value: Secret  # what the variable or reference must give so that nothing changes for the program
    edits: tuple[Edit, ...]
    scope: tuple[int, int]  # the node that changes; tokens outside of it and of the edits stay
    hint: str = ""  # how the place calls the secret: a variable, key or option
    demanded: bool = False  # the environment name must be ``hint``, since others read it by that name
    environment: str = ""  # the environment name that gives the value, where it is not the target's variable
    uses: str = "variable"  # or reference, or nothing (a comment): what the file now depends on
    grade: str = SAFE
    reason: str = ""  # for needs-wiring: what must be wired
    written: tuple[int, int] | None = None  # where the value stands, if that is more than the target

    @property
    def span(self) -> tuple[int, int]:
        """Where the value stands as written."""
        return self.written or (self.target.start, self.target.end)


class Skip(NamedTuple):
    """A target that is left as it is."""

    target: Target
    reason: str  # why it can't be rewritten safely
    advice: str  # what a person must do


class Rewrite(NamedTuple):
    """What a rewriter makes of one file."""

    changes: tuple[Change, ...]
    skips: tuple[Skip, ...]
    shared: tuple[Edit, ...] = ()  # imports and helper functions that the changes need together


class Token(NamedTuple):
    """A leaf of the parsed file."""

    kind: str
    start: int
    end: int


class Rewriter(Protocol):
    """One file a language family or format."""

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace ``targets``, which do not overlap and are in order; each becomes a change or a skip."""

    def tokens(self, file: File) -> Iterator[Token]:
        """Give the leaves of the file in order; ``"error"`` as kind for what does not parse."""
