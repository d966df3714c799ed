"""What ``fleet scan --verify`` adds: each provider's word on whether an exposed credential is live."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sqlalchemy.orm import Session

from hygiene.cli.compose import compose
from hygiene.cli.fleet.values import Values
from hygiene.cli.rotations import Rotations
from hygiene.cli.verifying import note_verdict, verify_finding
from hygiene.errors import SourceError
from hygiene.fleet.inventory.models import Exposure
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.rotations import Case, cases, open_case
from hygiene.fleet.key import FleetKey

_UNKNOWN = "unknown"


def verify_fleet(inventory: Inventory, key: FleetKey, config: str = "") -> Counter[str]:
    """Ask once for every exposure that somebody has to act on, in one place of it; counts the answers.

    Each question is an entry of the audit log, written before the next is asked.
    """
    composition = compose(config or None)
    rotations, values = Rotations(composition, ""), Values(key, config)
    answers: Counter[str] = Counter()
    for number in inventory.run(lambda session: cases(session, None, everything=True)):
        case = inventory.run(lambda session, number=number: open_case(session, number, begin=False))  # type: ignore[misc]
        verdict = _verdict(rotations, values, case)
        note_verdict(composition.recorder, case.rule, case.fingerprint, verdict)
        inventory.run(lambda session, case=case, verdict=verdict: _note(session, case, verdict))  # type: ignore[misc]
        answers[verdict] += 1
    return answers


def _verdict(rotations: Rotations, values: Values, case: Case) -> str:
    for repository in case.affected:
        try:
            finding = values.in_history(case, repository)
        except SourceError:
            continue
        if finding is not None:
            _provider, check = verify_finding(rotations, finding, Path(repository.path))
            return check.verdict.value
    return _UNKNOWN


def _note(session: Session, case: Case, verdict: str) -> None:
    session.get_one(Exposure, case.exposure).verification = verdict
