"""``hygiene rotate``: replaces stored secrets by new ones, and kills the old ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.cli.leaked import leak_labels, leaked_secrets, scan_history, without_halves
from hygiene.cli.rotations import ASKED, Request, Rotations
from hygiene.cli.secret.put import read_value
from hygiene.cli.secret.show import expires_of
from hygiene.config import Config
from hygiene.errors import ConflictError, ExitCode, HygieneError, PersonNeededError, SupersededError, UsageError
from hygiene.moment import duration_of
from hygiene.rotate.matching import Leak
from hygiene.rotate.provider import Provider
from hygiene.rotate.rotation import Rotated
from hygiene.rotate.schedule import due_at, in_window, policy_of
from hygiene.rotate.state import Step
from hygiene.store.protocol import CURRENT

_CONFIRM = "confirm"
_JOBS = 4


class Result(NamedTuple):
    """What came of one secret; the fields of ``--json``."""

    name: str
    outcome: str  # rotated, aborted, waiting (for a person), skipped, failed, planned
    provider: str = ""
    reference: str = ""
    gap: bool = False
    evidence: str = ""
    error: str = ""
    hint: str = ""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME…] | confirm NAME")
@click.option("--leaked", is_flag=True, help="Those whose current value stands in the history of this repository.")
@click.option("--due", is_flag=True, help="Those whose rotation is due, by mark or by [rotation] max_age.")
@click.option("--expired", is_flag=True, help="Those that have expired.")
@click.option("--resume", is_flag=True, help="Go on with what was interrupted.")
@click.option("--abort", is_flag=True, help="Go back to the old value, until its revocation has begun.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--provider", default="", metavar="NAME", help="Provider, where labels and configuration don't tell.")
@click.option("--jobs", default=_JOBS, show_default=True, type=click.IntRange(1, 100), help="How many at once.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def command(
    *,
    names: tuple[str, ...],
    leaked: bool,
    due: bool,
    expired: bool,
    resume: bool,
    abort: bool,
    dry_run: bool,
    provider: str,
    jobs: int,
    as_json: bool,
    store_name: str,
    config_path: str | None,
) -> int:
    """Issue a new value, store it, prove it, make it current, and revoke the old one last.

    Interrupted anywhere, --resume goes on; --abort goes back while the old value still lives.
    ``rotate confirm NAME`` answers a rotation that waits for a person.
    """
    chosen_by = leaked or due or expired
    _refuse_contradictions(names, chosen_by=chosen_by, resume=resume, abort=abort, dry_run=dry_run)
    composition = compose(config_path)
    rotations = Rotations(composition, store_name)
    incomplete = False
    if names[:1] == (_CONFIRM,):
        results = [_attempt(Request(names[1]), partial(_confirm, rotations, names[1]))]
    elif abort:
        results = [_attempt(Request(name), partial(rotations.abort, name)) for name in names or rotations.unfinished()]
    elif resume:
        chosen = [Request(name) for name in names] or unfinished(rotations)
        results = each(chosen, rotations.resume, jobs)
        if not chosen:
            notice("nothing to resume")
    else:
        chosen = list(_chosen(rotations, composition.config, names, due=due, expired=expired))
        if leaked:
            history = scan_history(Path.cwd(), config=config_path or "")
            incomplete = history.result.incomplete
            found = leaked_secrets(rotations.store, composition.recorder, history)
            others = {request.name for request in chosen}
            asked = (leak_request(leak, leak_labels(history.root, leak)) for leak in without_halves(found))
            chosen += [request for request in asked if request and request.name not in others]
        chosen = [request._replace(provider=provider) for request in chosen]
        if dry_run:
            results = [_attempt(request, partial(_plan, rotations, request)) for request in chosen]
        else:
            results = each(chosen, rotations.rotate, jobs)
    _print(results, as_json=as_json)
    return exit_code(results) or (ExitCode.INCOMPLETE if incomplete else ExitCode.CLEAN)


def unfinished(rotations: Rotations) -> list[Request]:
    """Ask to resume what was interrupted; another runner may be first."""
    return [Request(name, "unfinished") for name in rotations.unfinished()]


def exit_code(results: Sequence[Result]) -> int:
    """5 when something failed, 1 when something waits for a person, else 0."""
    outcomes = {result.outcome for result in results}
    if "failed" in outcomes:
        return ExitCode.STORE
    return ExitCode.FINDINGS if "waiting" in outcomes else ExitCode.CLEAN


def leak_request(leak: Leak, labels: Mapping[str, str]) -> Request | None:
    """Ask for the rotation of a leaked secret; None for one that was rotated since."""
    current = leak.secret.staged(CURRENT)
    if leak.stage != CURRENT or current is None:
        return None
    return Request(leak.secret.name, "leaked", current.id, labels=labels)


def _refuse_contradictions(
    names: tuple[str, ...], *, chosen_by: bool, resume: bool, abort: bool, dry_run: bool
) -> None:
    if names[:1] == (_CONFIRM,) and len(names) != 2:
        raise UsageError("confirm takes one name", hint="hygiene rotate confirm NAME")
    if resume and abort:
        raise UsageError("--resume and --abort contradict each other")
    if (resume or abort or names[:1] == (_CONFIRM,)) and (chosen_by or dry_run):
        raise UsageError("--resume, --abort and confirm go with names only")
    if not (names or chosen_by or resume or abort):
        raise UsageError("nothing to rotate", hint="name secrets, or give --leaked, --due, --expired or --resume")


def _chosen(
    rotations: Rotations, config: Config, names: tuple[str, ...], *, due: bool, expired: bool
) -> Iterator[Request]:
    yield from (Request(name, expected=rotations.current_version(name)) for name in dict.fromkeys(names))
    if not (due or expired):
        return
    now = datetime.now(UTC)
    for secret in rotations.store.list():
        current = secret.staged(CURRENT)
        if secret.name in names or secret.deleted is not None or current is None:
            continue
        policy = policy_of(secret.name, config)
        moment = due_at(secret, policy)
        end = expires_of(secret, duration_of(config.expiry_after))
        if expired and end is not None and end <= now:
            yield Request(secret.name, "expired", current.id)
        elif due and moment is not None and moment <= now and in_window(policy.window, now):
            yield Request(secret.name, "due", current.id)


def each(requests: list[Request], work: Callable[[Request], Rotated], jobs: int) -> list[Result]:
    """Do ``work`` for every request, at most ``jobs`` at once; a failure of one does not stop the others."""
    with ThreadPoolExecutor(max_workers=min(jobs, max(len(requests), 1))) as pool:
        return list(pool.map(lambda request: _attempt(request, partial(work, request)), requests))


def _attempt(request: Request, work: Callable[[], Rotated]) -> Result:
    """Do ``work``; what was chosen by us and not by name gives way to another runner that was first."""
    try:
        done = work()
    except HygieneError as error:
        outcome = "failed"
        if isinstance(error, PersonNeededError):
            outcome = "waiting"
        elif isinstance(error, SupersededError) or (isinstance(error, ConflictError) and request.reason != ASKED):
            outcome = "skipped"
        return Result(request.name, outcome, error=error.message, hint=error.hint)
    return Result(request.name, done.outcome, done.provider, done.reference, done.gap, done.evidence)


def _plan(rotations: Rotations, request: Request) -> Rotated:
    provider = rotations.provider(request)
    rotations.eliminate(request, provider)
    reference = str(rotations.store.reference(request.name))
    return Rotated(request.name, reference, provider.name, "planned", not provider.abilities.overlap, _steps(provider))


def _steps(provider: Provider) -> str:
    order = ("store", "issue") if provider.abilities.prepares else ("issue", "store")
    return ", ".join((*order, "verify", "promote", "revoke the old one"))


def _confirm(rotations: Rotations, name: str) -> Rotated:
    if rotations.next_step(name) in (Step.ISSUE, Step.VERIFY):
        return rotations.resume(Request(name, answer=read_value(name, None, raw=False)))
    return rotations.resume(Request(name, revoked=True))


def _print(results: list[Result], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([result._asdict() for result in results], indent=2))
        return
    for result in results:
        gap = "; clients could not log in for a moment" if result.gap and result.outcome == "rotated" else ""
        why = result.error or result.evidence
        click.echo(f"{result.outcome:8} {result.name}{f' ({result.provider})' if result.provider else ''}: {why}{gap}")
        if result.hint:
            click.echo("\n".join(f"         {line}" for line in result.hint.splitlines()))
