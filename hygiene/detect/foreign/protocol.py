"""What reading another scanner's accepted findings gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from hygiene.finding import Finding


class Known(NamedTuple):
    """One finding that a project accepted with another scanner."""

    place: str  # for the reader
    covers: Callable[[Finding], bool]
    reason: str = ""
    decision: str = ""  # real, false, or "" for none


class Format(Protocol):
    """A module that reads one format."""

    def read(self, text: bytes) -> Sequence[Known]:
        """Read the accepted findings in ``text``. Raises ConfigError."""
        ...
