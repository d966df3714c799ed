"""When a secret is due, and when a rotation may begin."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from hygiene.config import Config, RotationPolicy
from hygiene.errors import ConfigError
from hygiene.moment import later, parse_duration
from hygiene.store.protocol import CURRENT, StoredSecret

_WINDOW = re.compile(r"(?:([A-Za-z,]+) +)?([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])\Z")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def policy_of(name: str, config: Config) -> RotationPolicy:
    """Give the first policy whose glob matches ``name``, filled up with the general settings."""
    found = next((policy for policy in config.rotation if fnmatchcase(name, policy.names)), RotationPolicy(name))
    return found._replace(
        max_age=found.max_age or config.rotation_max_age, window=found.window or config.rotation_window
    )


def due_at(secret: StoredSecret, policy: RotationPolicy) -> datetime | None:
    """Give the moment from which ``secret`` should be rotated: as marked, or by the age of its current version."""
    moments = [secret.due] if secret.due else []
    current = secret.staged(CURRENT)
    if policy.max_age and current is not None:
        moments.append(later(parse_duration(policy.max_age), current.created))
    return min(moments, default=None)


def in_window(window: str, now: datetime) -> bool:
    """Say whether ``now`` lies in ``window`` (``[Sat,Sun] 02:00-05:00``, UTC, may pass midnight); always for ""."""
    if not window:
        return True
    match = _WINDOW.match(window)
    days = [day.lower()[:3] for day in match[1].split(",")] if match and match[1] else list(_DAYS)
    if match is None or not set(days) <= set(_DAYS) or max(int(match[2]), int(match[4])) > 24:
        raise ConfigError(
            f"not a window: {window!r}", hint='write days and times in UTC, such as "Sat,Sun 02:00-05:00"'
        )
    now = now.astimezone(UTC)
    start, end = int(match[2]) * 60 + int(match[3]), int(match[4]) * 60 + int(match[5])
    minute, today = now.hour * 60 + now.minute, _DAYS[now.weekday()]
    if start <= end:
        return today in days and start <= minute < end
    yesterday = _DAYS[now.weekday() - 1]
    return (today in days and minute >= start) or (yesterday in days and minute < end)
