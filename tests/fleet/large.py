"""An inventory with as many findings as one likes, written at once."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert

from hygiene.fleet.inventory.counting import recount_repositories, recount_states
from hygiene.fleet.inventory.models import Exposure, Finding, Owner, Repository, Source
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.trend import take_snapshot

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_AT_ONCE = 20_000


def fill(inventory: Inventory, findings: int, *, repositories: int = 1000, owners: int = 50) -> None:
    """Write ``findings`` in ``repositories``, two places an exposure."""
    with inventory.engine.begin() as connection:
        connection.execute(
            insert(Source),
            {"id": 1, "kind": "folder", "location": "/x", "api": "", "team": "", "archived": False, "forks": False,
             "memory": {}, "problem": ""},
        )  # fmt: skip
        connection.execute(insert(Owner), [{"id": n + 1, "name": f"@org/team-{n}"} for n in range(owners)])
        connection.execute(
            insert(Repository),
            [
                {"id": n + 1, "source_id": 1, "key": f"k{n}", "name": f"org/r{n}", "url": "", "path": f"/r{n}",
                 "state": "active", "owner_id": n % owners + 1, "tips": "t", "scanned": "s", "added": _NOW,
                 "scanned_at": _NOW, "seconds": 1.0, "bytes": 1, "blobs": 1, "commits": 1, "problem": "",
                 "critical": n % 7, "high": n % 11, "medium": n % 5, "low": 0}
                for n in range(repositories)
            ],
        )  # fmt: skip
        for start in range(0, findings // 2, _AT_ONCE):
            connection.execute(insert(Exposure), [_exposure(n) for n in _range(start, findings // 2)])
        for start in range(0, findings, _AT_ONCE):
            rows = [_finding(n, findings, repositories, owners) for n in _range(start, findings)]
            connection.execute(insert(Finding), rows)
    inventory.run(lambda session: recount_repositories(session, range(1, repositories + 1)))
    inventory.run(lambda session: recount_states(session, range(1, findings // 2 + 1)))
    inventory.run(take_snapshot)
    with inventory.engine.connect() as connection:
        connection.exec_driver_sql("analyze")
        connection.commit()


def _range(start: int, end: int) -> range:
    return range(start, min(start + _AT_ONCE, end))


def _exposure(n: int) -> dict[str, object]:
    return {
        "id": n + 1, "fingerprint": f"v1:{n:040x}", "rule": f"rule-{n % 90}", "description": "a key", "weight": n % 4,
        "length": 40, "state": ("open", "open", "open", "rotated", "closed")[n % 5], "verification": "unverified",
        "repositories": n % 3 + 1, "places": 2, "first_seen": _NOW, "last_seen": _NOW,
    }  # fmt: skip


def _finding(n: int, findings: int, repositories: int, owners: int) -> dict[str, object]:
    exposure = n % (findings // 2)
    return {
        "id": n + 1, "repository_id": n % repositories + 1, "exposure_id": exposure + 1, "owner_id": n % owners + 1,
        "path": f"src/file{n}.py", "place": "", "rule": f"rule-{exposure % 90}", "weight": exposure % 4,
        "confidence": "high", "status": "new", "line_start": 1, "line_end": 1, "column_start": 1, "column_end": 9,
        "blob": f"{n:040x}", "commit": f"{n:040x}", "last_commit": "", "author": "Ann", "email": "ann@example.com",
        "date": "2025-01-01T00:00:00+00:00", "commits": f"{n:040x}", "first_seen": _NOW,
    }  # fmt: skip
