"""Durations and moments as people write them: ``90d``, ``12h``, ``2027-06-30``, ``2027-06-30T12:00:00Z``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hygiene.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_PART = re.compile(r"(\d{1,9})([smhdwy])")


def parse_duration(text: str) -> timedelta:
    """Read a duration such as ``90d`` or ``1h30m``; raises :class:`UsageError`."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"not a duration: {text!r}", hint="write 30m, 12h, 90d, 4w or 1y")
    try:
        return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
    except OverflowError as error:
        raise UsageError(f"{text!r} is longer than time can be told") from error


def duration_of(setting: str) -> timedelta | None:
    """Read a setting that may be empty, which is no limit."""
    return parse_duration(setting) if setting else None


def parse_moment(text: str) -> datetime:
    """Read an ISO 8601 date or time, in UTC where it names no zone; raises :class:`UsageError`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"not a time: {text!r}", hint="write 2027-06-30 or 2027-06-30T12:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def later(duration: timedelta, since: datetime | None = None) -> datetime:
    """Give the moment ``duration`` after ``since`` (default: now); the last one that can be told where that ends."""
    try:
        return (since or datetime.now(UTC)) + duration
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def format_moment(moment: datetime | None) -> str | None:
    """Give RFC 3339 in UTC with seconds, or None."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
