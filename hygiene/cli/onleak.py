"""What policy says of a leaked secret: rotate it at once, in its window, or when a person says so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from hygiene.cli.rotate import Result
from hygiene.cli.rotations import Request, Rotations
from hygiene.config import Config
from hygiene.rotate.schedule import policy_of

_QUEUE, _ASK = "queue", "ask"


def by_policy(rotations: Rotations, config: Config, requests: Iterable[Request]) -> tuple[list[Request], list[Result]]:
    """Give those to rotate at once, and what became of the others; asked twice, it changes nothing more."""
    at_once: list[Request] = []
    results: list[Result] = []
    for request in requests:
        policy = policy_of(request.name, config).on_leak
        if policy == _QUEUE:
            results.append(_queued(rotations, request))
        elif policy == _ASK:
            hint = f"hygiene rotate {request.name}"
            results.append(Result(request.name, "waiting", error="its policy asks a person first", hint=hint))
        else:
            at_once.append(request)
    return at_once, results


def _queued(rotations: Rotations, request: Request) -> Result:
    """Mark the secret as due, so that ``rotate --due`` takes it in its window."""
    told = rotations.store.describe(request.name)
    if told is not None and told.due is None:
        rotations.store.mark_due(request.name, datetime.now(UTC))
    return Result(request.name, "queued", evidence="rotated by the next rotate --due in its window")
