"""The records of finished migrations: their journals, kept beside the repository's other private data.

A record holds no value. The newest one is what ``--rollback`` undoes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hygiene.fileio import locked, make_private_folder, sync_folder, write_error
from hygiene.git import Git
from hygiene.journal import Journal
from hygiene.places import repository_folder

JOB = "migrate"


class Migrations:
    """The journal of the migration that runs, and the records of those that are done."""

    def __init__(self, folder: Path) -> None:
        """Keep them in ``folder``, the repository's private folder."""
        self.journal_path = folder / "journal" / "migrate.jsonl"
        self._done = folder / "migrations"
        self._lock = folder / "migrate.lock"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock that lets one migration of this working tree run at a time."""
        make_private_folder(self._lock.parent)
        with locked(self._lock):
            yield

    def unfinished(self) -> Journal | None:
        """Open the journal of a migration that was not finished."""
        return Journal.open(self.journal_path, JOB)

    def newest(self) -> Journal | None:
        """Open the newest record."""
        records = self._records()
        return Journal.open(records[-1], JOB) if records else None

    def keep(self, journal: Journal) -> Path:
        """Make ``journal``, whose job is done, the newest record; gives the record's file."""
        records = self._records()
        number = int(records[-1].stem) + 1 if records else 1
        make_private_folder(self._done)
        try:
            journal.path.rename(self._done / f"{number:06}.jsonl")
            sync_folder(self._done)
            sync_folder(self.journal_path.parent)
        except OSError as error:
            raise write_error(self._done, error) from error
        return self._done / f"{number:06}.jsonl"

    def _records(self) -> list[Path]:
        return sorted(path for path in self._done.glob("*.jsonl") if path.stem.isdigit())


def open_migrations(root: Path) -> Migrations:
    """Open the records of the working tree at ``root``; each linked worktree has its own."""
    return Migrations(repository_folder(Path(Git(root).line("rev-parse", "--absolute-git-dir"))))
