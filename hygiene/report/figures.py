"""The figures of a report on exposures: how many are in which state, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import NamedTuple

from hygiene.exposure import STATES, Exposure, Moment

_ACTIVE = ("open", "contained", "rotated")  # the leaked value may still work


class Span(NamedTuple):
    """How long something took, over the exposures where it has happened; seconds."""

    times: int
    median: float
    longest: float


class Figures(NamedTuple):
    """What a manager reads first."""

    states: dict[str, int]
    to_contain: Span | None  # from the commit to the store
    to_rotate: Span | None  # from the commit to the new value
    to_revoke: Span | None  # from the commit to the end of the old value
    oldest_active: float | None  # age in seconds of the oldest leak that may still work


def figures(exposures: Sequence[Exposure], now: datetime) -> Figures:
    """Compute the figures of ``exposures`` at the time ``now``."""
    ages = [e.seconds_to(Moment(now, "", "")) for e in exposures if e.state in _ACTIVE]
    return Figures(
        states={state: sum(exposure.state == state for exposure in exposures) for state in STATES},
        to_contain=_span([exposure.seconds_to(exposure.stored) for exposure in exposures]),
        to_rotate=_span([exposure.seconds_to(exposure.rotated) for exposure in exposures]),
        to_revoke=_span([exposure.seconds_to(exposure.revoked) for exposure in exposures]),
        oldest_active=max((age for age in ages if age is not None), default=None),
    )


def duration(seconds: float | None) -> str:
    """Write a duration for a person: its largest unit or two."""
    if seconds is None:
        return "–"
    minutes = int(seconds // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days >= 10:
        return f"{days} d"
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"


def _span(values: Sequence[float | None]) -> Span | None:
    known = [value for value in values if value is not None]
    return Span(len(known), median(known), max(known)) if known else None
