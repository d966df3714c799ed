"""A fleet of generated repositories, scanned in this process or by workers, and what single scans say of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from hygiene.cli.fleetwork import perform
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.scan import scan
from hygiene.detect.sources.registry import open_source
from hygiene.fleet.engines.inline import InlineEngine
from hygiene.fleet.engines.protocol import Engine
from hygiene.fleet.inventory.models import Exposure, Finding, Repository
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.queue import to_survey
from hygiene.fleet.inventory.sources import add_source, new_source
from hygiene.fleet.key import FleetKey
from hygiene.fleet.listing.refresh import refresh
from hygiene.fleet.running import FleetRun, Tally, Way
from hygiene.fleet.tasks import Row, rows_from
from tests.e2e.credentials import Forge
from tests.repository import Repository as GitRepository


class Found(NamedTuple):
    """What must agree between a fleet's inventory and single scans."""

    repository: str
    fingerprint: str
    path: str
    rule: str
    line: int
    column: int
    status: str
    commits: tuple[str, ...]


class Silent:
    def surveyed(self, done: int, total: int) -> None: ...

    def scanned(self, done: int, total: int, failed: int) -> None: ...


class Fleet:
    """One inventory over one folder of repositories."""

    def __init__(self, inventory: Inventory, folder: Path, mirrors: Path, key: FleetKey | None = None) -> None:
        self.inventory = inventory
        self.folder = folder
        self.key = key or FleetKey(bytes(range(32)))
        self._way = Way(self.key, "rules", mirrors)
        self.told: list[str] = []

    def add(self, kind: str = "folder", location: Path | str = "", **options: str) -> None:
        source = new_source(kind, str(location or self.folder), archived=False, forks=False, **options)
        self.inventory.run(lambda session: add_source(session, source))
        assert refresh(self.inventory, self.told.append)

    def scan(self, engine: Engine | None = None, *, full: bool = False) -> Tally:
        refresh(self.inventory, self.told.append)
        known = self.inventory.run(to_survey)
        run = FleetRun(self.inventory, self._way._replace(full=full), Silent())
        return run.scan(run.survey(known), engine or InlineEngine(perform), len(known))

    def found(self) -> set[Found]:
        query = (
            select(Repository.path, Exposure.fingerprint, Finding)
            .join(Finding, Finding.repository_id == Repository.id)
            .join(Exposure, Exposure.id == Finding.exposure_id)
            .where(Finding.gone.is_(None))
        )
        return self.inventory.run(
            lambda session: {
                Found(
                    path, fingerprint, one.path, one.rule, one.line_start, one.column_start, one.status,
                    tuple(one.commits.split()),
                )
                for path, fingerprint, one in session.execute(query)
            }
        )  # fmt: skip


def single_scans(folders: Iterable[Path], key: FleetKey) -> set[Found]:
    """Scan each repository alone, as ``hygiene scan --history`` does."""
    return {found for folder in folders for found in single_scan(folder, key)}


def single_scan(folder: Path, key: FleetKey) -> set[Found]:
    scanning = open_scanning(folder, folder, Wishes())
    result = scan(open_source("history", folder), scanning.examiner, scanning.accepted)
    rows: tuple[Row, ...] = rows_from(result.findings, scanning.examiner.patterns, key)
    return {
        Found(
            str(folder), row.fingerprint, row.path, row.rule, row.line_start, row.column_start, row.status, row.commits
        )
        for row in rows
    }


def generate(folder: Path, names: Iterable[str], seed: int = 1, *init: str) -> list[GitRepository]:
    """Make a repository a name, each with a few commits, clean files and credentials of its own."""
    forge = Forge(seed)
    made = []
    for name in names:
        repository = GitRepository(folder / name, *init)
        repository.commit("begin", **{"readme.md": f"# {name}\n".encode(), "main.py": b"print('hello')\n"})
        repository.commit("settings", **{"settings.py": f'KEY = "{forge.github()}"\n'.encode()})
        repository.commit(
            "more", **{"deploy.sh": f"export NPM={forge.npm()}\n".encode(), "settings.py": b"KEY = None\n"}
        )
        made.append(repository)
    return made
