"""The allowlist of the configuration: findings that were accepted with a reason, some until a date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from hygiene.config import Allow
from hygiene.detect.globs import matches_any
from hygiene.errors import ConfigError
from hygiene.finding import Finding


class Allowlist:
    """Answers which entry covers a finding, and remembers which were of use."""

    def __init__(self, entries: Sequence[Allow], today: date) -> None:
        """Take the entries that hold on ``today``. Raises ConfigError for a value pattern that is none."""
        self._entries = [entry for entry in entries if not _expired(entry, today)]
        self.expired = tuple(entry for entry in entries if _expired(entry, today))
        self._values = {entry.value: _pattern(entry.value) for entry in self._entries if entry.value}
        self._used: set[int] = set()

    def covering(self, finding: Finding) -> Allow | None:
        """Give the first entry all of whose conditions hold for ``finding``."""
        for index, entry in enumerate(self._entries):
            if self._covers(entry, finding):
                self._used.add(index)
                return entry
        return None

    @property
    def unused(self) -> tuple[Allow, ...]:
        """The entries that have covered nothing so far."""
        return tuple(entry for index, entry in enumerate(self._entries) if index not in self._used)

    def _covers(self, entry: Allow, finding: Finding) -> bool:
        places = finding.provenance or ()
        commits = {place.commit for place in places}
        paths = {place.path for place in places} | {finding.path}
        return (
            (not entry.rule or entry.rule == finding.rule)
            and (not entry.fingerprint or finding.fingerprint == entry.fingerprint)
            # A leak that also stands elsewhere, or in another commit, is not covered.
            and (not entry.path or all(matches_any(path, (entry.path,)) for path in paths))
            and (not entry.commit or (bool(commits) and all(_names(entry.commit, commit) for commit in commits)))
            and (not entry.value or bool(self._values[entry.value].search(finding.secret.reveal())))
        )


def describe(entry: Allow) -> str:
    """Name ``entry`` by its conditions, for a person."""
    conditions = (
        f"{key} {getattr(entry, key)!r}"
        for key in ("rule", "path", "fingerprint", "value", "commit")
        if getattr(entry, key)
    )
    return ", ".join(conditions)


def _expired(entry: Allow, today: date) -> bool:
    return entry.expires is not None and entry.expires < today


def _names(prefix: str, commit: str) -> bool:
    return len(prefix) >= 7 and commit.startswith(prefix)


def _pattern(text: str) -> re.Pattern[bytes]:
    try:
        return re.compile(text.encode())
    except re.error as error:
        raise ConfigError(f"[[allow]] value {text!r} is not a pattern: {error}") from error
