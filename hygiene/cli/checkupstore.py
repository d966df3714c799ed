"""The checks of ``hygiene doctor`` that need what a bare install lacks: identity, references, the audit log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hygiene.cli.checkup import FAIL, OK, WARN, Result, checked
from hygiene.cli.compose import compose
from hygiene.crypto import find_identity
from hygiene.errors import ExitCode, HygieneError
from hygiene.places import audit_folder, home_folder
from hygiene.prove.actor import current_actor
from hygiene.prove.verify import verify_folder
from hygiene.replace.manifest import FILE_NAME as MANIFEST
from hygiene.replace.manifest import read_manifest


def store_checks(folder: Path, root: Path | None) -> Iterator[Result]:
    """Check what ``folder``, in the repository at ``root``, and this user keep in stores."""
    yield from checked("identity", _identity)
    yield from checked("references", lambda: _references(folder, root))
    yield from checked("audit", _audit)


def _identity() -> Iterator[Result]:
    if not (home_folder() / "identity").exists() and not _identity_from_elsewhere():
        yield Result("identity", WARN, "none yet; the embedded store makes one at first use", "hygiene secret put")
        return
    find_identity()
    yield Result("identity", OK, "opens the embedded store")


def _references(folder: Path, root: Path | None) -> Iterator[Result]:
    manifest = (root or folder) / MANIFEST
    if not manifest.exists():
        return
    references = read_manifest(manifest)
    resolver = compose(start=folder).resolver()
    broken = 0
    for variable, reference in references.items():
        try:
            resolver.resolve(reference)
        except HygieneError as error:
            broken += 1
            yield Result("references", FAIL, f"{variable}: {error.message}", error.hint, error.exit_code)
    yield Result("references", FAIL if broken else OK, f"{len(references) - broken} of {len(references)} resolve")


def _audit() -> Iterator[Result]:
    folder = audit_folder()
    verdicts = verify_folder(folder, actor=current_actor()) if folder.is_dir() else []
    now = datetime.now(UTC)
    for verdict in verdicts:
        for problem in verdict.problems[:1]:
            fix = "keep a copy of the folder, and ask who could write to it"
            yield Result("audit", FAIL, problem.message, fix, ExitCode.AUDIT)
        for _seq, moment, action, what in verdict.unmatched:
            yield Result("audit", WARN, f"{action} {what} was announced at {moment} and never ended", "see above")
        if verdict.last_time and datetime.fromisoformat(verdict.last_time) > now:
            yield Result("clock", WARN, f"the last entry is of {verdict.last_time}, later than now", "set the clock")
    if not any(verdict.problems for verdict in verdicts):
        yield Result("audit", OK, f"{sum(verdict.entries for verdict in verdicts)} entries verify")


def _identity_from_elsewhere() -> bool:
    return bool(os.environ.get("HYGIENE_IDENTITY") or os.environ.get("HYGIENE_IDENTITY_KEY"))
