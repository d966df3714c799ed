"""SARIF a repository, and tickets, from the inventory: a stand-in of the same length takes the place of each value."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from hygiene.fileio import write_atomic
from hygiene.finding import SEVERITIES, Finding, Provenance, ScanResult, ScanStats, Skipped
from hygiene.fleet.inventory.models import Exposure, Repository
from hygiene.fleet.inventory.models import Finding as Row
from hygiene.report.registry import reporter
from hygiene.secret import Secret

_READABLE = 0o644
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def write_sarif(session: Session, folder: Path) -> Iterator[Path]:
    """Write a SARIF file for each scanned repository into ``folder``, and give their paths. Raises WriteError."""
    for repository in session.scalars(select(Repository).where(Repository.scanned != "").order_by(Repository.id)):
        text = io.StringIO()
        reporter("sarif").report(_result(session, repository), text)
        path = folder / f"{_UNFIT.sub('-', repository.name).strip('.-') or 'repository'}-{repository.id}.sarif"
        write_atomic(path, text.getvalue().encode("utf-8", "backslashreplace"), mode=_READABLE)
        yield path


def _result(session: Session, repository: Repository) -> ScanResult:
    query = (
        select(Row, Exposure)
        .join(Exposure, Exposure.id == Row.exposure_id)
        .where(Row.repository_id == repository.id, Row.weight >= 0)
        .order_by(Row.id)
    )
    rows = sorted(session.execute(query), key=lambda row: (row[0].path, row[0].line_start))  # databases sort as set up
    findings = tuple(_finding(row, exposure) for row, exposure in rows)
    skipped = (Skipped("", repository.problem),) if repository.problem else ()
    return ScanResult(findings, skipped, ScanStats(repository.blobs, repository.bytes, repository.commits))


def _finding(row: Row, exposure: Exposure) -> Finding:
    place = Provenance("commit" if row.commit else "object", row.path, row.commit, row.author, row.email, row.date)
    return Finding(
        rule=row.rule,
        description=exposure.description,
        severity=SEVERITIES[row.weight],
        confidence=row.confidence,
        path=row.path,
        line_start=row.line_start,
        line_end=row.line_end,
        column_start=row.column_start,
        column_end=row.column_end,
        start=0,
        end=0,
        blob=row.blob,
        secret=Secret(bytes(exposure.length)),
        fingerprint=exposure.fingerprint,
        provenance=(place,),
        status=row.status,
        verification=exposure.verification,
    )
