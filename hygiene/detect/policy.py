"""What a project accepts, and whose word counts: a pull request may tighten the base branch's policy, not loosen it.

Both functions are pure: they take two policies and give the stricter.
"""

from __future__ import annotations

from hygiene.config import Allow, Config
from hygiene.detect.baseline import Baseline
from hygiene.finding import CONFIDENCES


def tightened_config(base: Config, head: Config) -> Config:
    """Give ``base`` with those changes of ``head`` that make more be found.

    Dropped exclusions, re-enabled rules, a lower least confidence, removed or sooner expiring allowances count;
    whatever would hide something does not. Rule folders stay those of the base, and their files are its too.
    """
    return head._replace(
        exclude=tuple(glob for glob in base.exclude if glob in head.exclude),
        min_confidence=min(base.min_confidence, head.min_confidence, key=CONFIDENCES.index),
        max_file_bytes=_larger_limit(base.max_file_bytes, head.max_file_bytes),
        disable=tuple(rule for rule in base.disable if rule in head.disable),
        rule_folders=base.rule_folders,
        only_own_rules=base.only_own_rules and head.only_own_rules,
        allow=tuple(kept for entry in base.allow if (kept := _still_allowed(entry, head.allow))),
    )


def tightened_baseline(base: Baseline | None, head: Baseline | None) -> Baseline | None:
    """Give what ``base`` accepts, without what ``head`` no longer does; under the key of ``base``."""
    if base is None or head is None or base.key != head.key:
        return base
    return Baseline(base.key, {name: entry for name, entry in base.entries.items() if name in head.entries})


def loosened(base: Config, head: Config) -> bool:
    """Say whether ``head`` asks for anything that :func:`tightened_config` refuses it."""
    strict = tightened_config(base, head)
    return any(
        getattr(strict, field) != getattr(head, field)
        for field in (
            "exclude",
            "min_confidence",
            "max_file_bytes",
            "disable",
            "rule_folders",
            "only_own_rules",
            "allow",
        )
    )


def _larger_limit(one: int, other: int) -> int:
    return 0 if 0 in (one, other) else max(one, other)


def _still_allowed(entry: Allow, others: tuple[Allow, ...]) -> Allow | None:
    """Give ``entry`` as far as one of ``others`` has the same conditions: until the sooner date."""
    for other in others:
        if entry._replace(reason="", expires=None) == other._replace(reason="", expires=None):
            dates = [date for date in (entry.expires, other.expires) if date is not None]
            return entry._replace(expires=min(dates, default=None))
    return None
