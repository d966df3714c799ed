"""What this user has seen of each embedded store, so that an older record never passes for the newest.

A folder of files alone can't tell that all of it was put back to an earlier state; the memory in the user's
own data folder can. It forgets nothing that was verified, and is never ahead of the store.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from hygiene.errors import StoreError
from hygiene.fileio import make_private_folder, refuse_shared

FILE_NAME = "memory.sqlite"
_WAIT_SECONDS = 60.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS stores (
  path TEXT PRIMARY KEY, id TEXT NOT NULL, serial INTEGER NOT NULL, digest TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
  store TEXT NOT NULL, name TEXT NOT NULL, serial INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (store, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS denials (store TEXT NOT NULL, request TEXT NOT NULL, PRIMARY KEY (store, request));
"""


class Seen(NamedTuple):
    """The newest verified state of something."""

    serial: int
    digest: str


class Memory:
    """The memory of one user."""

    def __init__(self, folder: Path) -> None:
        """Keep it in ``folder``, the user data folder."""
        self._path = folder / FILE_NAME
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def store(self, path: Path) -> tuple[str, Seen] | None:
        """Give the id and the newest policy seen of the store at ``path``."""
        rows = self._rows("SELECT id, serial, digest FROM stores WHERE path = ?", str(path.resolve()))
        return next(((id, Seen(serial, digest)) for id, serial, digest in rows), None)

    def remember_store(self, path: Path, id: str, seen: Seen) -> None:
        """Note the policy ``seen`` of the store ``id`` at ``path``."""
        self._write("REPLACE INTO stores VALUES (?, ?, ?, ?)", [(str(path.resolve()), id, seen.serial, seen.digest)])

    def record(self, store: str, name: str) -> Seen | None:
        """Give the newest state seen of the record ``name``."""
        rows = self._rows("SELECT name, serial, digest FROM records WHERE store = ? AND name = ?", store, name)
        return next((Seen(serial, digest) for _, serial, digest in rows), None)

    def records(self, store: str) -> dict[str, Seen]:
        """Give the newest states seen of all records."""
        rows = self._rows("SELECT name, serial, digest FROM records WHERE store = ?", store)
        return {name: Seen(serial, digest) for name, serial, digest in rows}

    def remember(self, store: str, states: Iterable[tuple[str, Seen]]) -> None:
        """Note newer states of records; an older one changes nothing."""
        self._write(
            "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET serial = excluded.serial, "
            "digest = excluded.digest WHERE excluded.serial > records.serial",
            [(store, name, seen.serial, seen.digest) for name, seen in states],
        )

    def denied(self, store: str) -> set[str]:
        """Give the digests of the requests for access whose denial was seen."""
        return {request for request, _, _ in self._rows("SELECT request, 0, '' FROM denials WHERE store = ?", store)}

    def remember_denied(self, store: str, requests: Iterable[str]) -> None:
        """Note that a valid denial of ``requests`` was seen."""
        self._write("INSERT OR IGNORE INTO denials VALUES (?, ?)", [(store, request) for request in requests])

    def forget_store(self, path: Path) -> None:
        """Forget all that was seen of the store at ``path``: it is then trusted as it stands."""
        known = self.store(path)
        if known is not None:
            self._write("DELETE FROM records WHERE store = ?", [(known[0],)])
            self._write("DELETE FROM denials WHERE store = ?", [(known[0],)])
            self._write("DELETE FROM stores WHERE path = ?", [(str(path.resolve()),)])

    def _rows(self, query: str, *values: str) -> list[tuple[str, int, str]]:
        if self._connection is None and not self._path.exists():
            return []
        try:
            try:
                return self._open().execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if not _is_full(error):
                    raise
                return self._frozen_rows(query, *values)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _frozen_rows(self, query: str, *values: str) -> list[tuple[str, int, str]]:
        """Read on a full disk, where SQLite can't make the files beside: the latest changes may be missing."""
        connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?immutable=1", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []  # the disk was full before there was anything to remember
            raise
        finally:
            connection.close()

    def _write(self, query: str, rows: Sequence[tuple[str | int, ...]]) -> None:
        if not rows:
            return
        try:
            with self._open() as connection:
                connection.executemany(query, rows)
        except sqlite3.OperationalError as error:
            # A full or read-only disk: the memory stays behind the store, which is safe; the store's own
            # write is what must succeed or fail.
            if not _is_full(error):
                raise self._error(error) from error
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():
            refuse_shared(make_private_folder(self._path.parent))
            connection = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, check_same_thread=False)
            self._path.chmod(0o600)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
            self._connection, self._process = connection, os.getpid()
        return self._connection

    def _error(self, error: sqlite3.Error) -> StoreError:
        return StoreError(
            f"cannot use the memory of seen records {self._path}: {error}",
            hint="if it is damaged, move it away; records are then trusted as first seen",
        )


def _is_full(error: sqlite3.OperationalError) -> bool:
    return any(word in str(error) for word in ("full", "readonly", "disk I/O", "unable to open"))
