"""Finds the value of an exposure again, where the inventory says that it stands; it is never kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.scan import scan
from hygiene.detect.sources.protocol import Item, Source
from hygiene.detect.sources.registry import open_source
from hygiene.errors import SourceError
from hygiene.finding import Finding
from hygiene.fleet.inventory.rotations import Affected, Case
from hygiene.fleet.key import FleetKey


class Values:
    """Looks for values under one key."""

    def __init__(self, key: FleetKey, config: str = "") -> None:
        """Scan by ``config``, or by what holds in each repository."""
        self._key = key
        self._config = config

    def found(self, case: Case, repository: Affected, source: Source) -> Iterator[Finding]:
        """Give the findings of the exposure in ``source``, which reads the repository. Raises SourceError."""
        folder = Path(repository.path)
        if not folder.is_dir():
            raise SourceError(f"{folder} is gone", hint="scan again")
        scanning = open_scanning(folder, folder, Wishes(config=self._config, min_confidence="low"))
        families = {pattern.id: pattern.family or pattern.id for pattern in scanning.examiner.patterns}
        for finding in scan(source, scanning.examiner, scanning.accepted).findings:
            if self._key.fingerprint(families[finding.rule], finding.secret.reveal()) == case.fingerprint:
                yield finding

    def in_history(self, case: Case, repository: Affected) -> Finding | None:
        """Give the finding in the object that the inventory names; None where it is no object or shows it no more."""
        if not repository.blob:
            return None
        source = open_source("history", Path(repository.path))
        return next(self.found(case, repository, _One(source, repository.blob)), None)


class _One:
    """One object of a source."""

    commits = 0

    def __init__(self, source: Source, name: str) -> None:
        self._name = name
        self.read, self.provenance, self.skipped = source.read, source.provenance, source.skipped

    def items(self) -> list[Item]:
        return [Item(self._name, 0, "")]
