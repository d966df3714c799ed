"""``hygiene fleet scan``: all repositories that have changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click

from hygiene import __version__
from hygiene.cli.compose import notice
from hygiene.cli.fleet.opening import Line, database_option, open_fleet
from hygiene.cli.fleetwork import load_kept, perform
from hygiene.config import find_config, read_config
from hygiene.detect.rulefolders import RuleChoice
from hygiene.detect.workers import usable_cores
from hygiene.errors import ConfigError, ExitCode, UsageError
from hygiene.fleet.engines.registry import open_engine
from hygiene.fleet.inventory.events import UNKNOWN, Pending, mark, pending
from hygiene.fleet.inventory.queue import to_survey
from hygiene.fleet.inventory.status import not_whole
from hygiene.fleet.inventory.trend import Standing, standing, take_snapshot
from hygiene.fleet.key import fleet_folder
from hygiene.fleet.listing.refresh import refresh
from hygiene.fleet.running import FleetRun, Tally, Way
from hygiene.fleet.tips import digest_of
from hygiene.places import cache_folder

_SHOWN = 20


@click.command("scan", short_help="Scan what has changed.")
@click.argument("names", nargs=-1, metavar="[REPOSITORY…]")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes [default: the cores that may be used].")
@click.option("--scheduler", default="", metavar="ADDRESS", help="An existing dask scheduler, as tcp://HOST:8786.")
@click.option("--full", is_flag=True, help="Scan what has not changed, too.")
@click.option("--queued", is_flag=True, help="Only what webhooks told of since.")
@click.option("--verify", is_flag=True, help="Ask the providers which exposures are live: that is a login.")
@click.option("--mirrors", type=click.Path(file_okay=False, path_type=Path), help="Folder of the mirrors.")
@click.option("--config", default="", metavar="FILE", help="One configuration, instead of each repository's own.")
@database_option
def command(
    *,
    names: tuple[str, ...],
    workers: int | None,
    scheduler: str,
    full: bool,
    queued: bool,
    verify: bool,
    mirrors: Path | None,
    config: str,
    database: str,
) -> int:
    """Scan the whole history of every repository whose refs have moved, or of those named.

    What was interrupted is taken up again. Exits 0 when nobody has to act, 1 with open findings, 4 when a repository
    could not be scanned whole.
    """
    if queued and names:
        raise UsageError("--queued goes without names")
    if scheduler and workers:
        raise UsageError("--scheduler goes without --workers", hint="it has the workers that were deployed with it")
    line = Line()
    inventory, key = open_fleet(database, line.tell)
    pushes = inventory.run(pending) if queued else Pending({}, ())
    if queued and not (pushes.events or pushes.unknown):
        notice("no push waits")
        return ExitCode.CLEAN
    listed = names != () or (queued and not pushes.unknown) or refresh(inventory, notice)
    if pushes.unknown:
        pushes = inventory.run(pending)
    numbers = set(pushes.events.values()) if queued else None
    known = inventory.run(lambda session: to_survey(session, names, numbers))
    missing = sorted(set(names) - {one.name for one in known})
    if missing or not (known or queued):
        problem = f"there is no repository {missing[0]} in the fleet" if missing else "the fleet is empty"
        hint = "hygiene fleet report --repositories lists them" if names else "hygiene fleet add ./clones"
        raise UsageError(problem, hint=hint)
    path = os.path.abspath(config) if config else ""  # noqa: PTH100 - workers may stand elsewhere
    way = Way(key, _rules(path), mirrors or fleet_folder() / "mirrors", path, full)
    run = FleetRun(inventory, way, line)
    theirs = open_engine(perform, scheduler=scheduler, tell=line.tell) if scheduler else None
    changed = run.survey(known)
    engine = theirs or open_engine(perform, workers=workers or usable_cores(), size=run.size(changed), tell=line.tell)
    if engine.link:
        notice(f"{engine.name}: {engine.link}")
    try:
        tally = run.scan(changed, engine, len(known))
    except KeyboardInterrupt:
        line.tell("what was finished is kept: scan again to go on")
        raise
    if verify:
        answers = _verifying().verify_fleet(inventory, key, path)
        notice(", ".join(f"{number} {verdict}" for verdict, number in sorted(answers.items())) or "nothing to verify")
    inventory.run(take_snapshot)
    scanned = [event for event, number in pushes.events.items() if number not in tally.left]
    inventory.run(lambda session: mark(session, scanned))
    inventory.run(lambda session: mark(session, pushes.unknown, UNKNOWN))
    looked_at = {one.id for one in known}
    problems = inventory.run(lambda session: not_whole(session, looked_at))
    return _tell(tally, inventory.run(standing), problems, listed=listed)


def _verifying() -> ModuleType:
    """Import what asks providers: most scans ask none."""
    return import_module("hygiene.cli.fleet.verifying")


def _rules(config: str) -> str:
    """Give the digest of what all scans go by; compiles the rules once, before many workers want them."""
    if config and not Path(config).is_file():
        raise ConfigError(f"there is no configuration at {config}")
    own = read_config(Path(config)) if config else read_config(find_config(fleet_folder(), fleet_folder()))
    folders = tuple(own.path.parent / folder for folder in own.rule_folders) if own.path else ()
    loaded = load_kept(RuleChoice(folders, own.disable, own.only_own_rules), cache_folder())
    text = Path(config).read_bytes().decode("utf-8", "surrogateescape") if config else ""
    return digest_of(__version__, loaded.digest, text)


def _tell(tally: Tally, found: Standing, problems: Sequence[tuple[str, str]], *, listed: bool) -> int:
    failed = {name for name, _ in tally.failed}
    for name, problem in problems[:_SHOWN]:
        notice(f"{'not scanned' if name in failed else 'not scanned whole'}: {name}: {problem}")
    if len(problems) > _SHOWN:
        notice(f"not scanned, or not whole: {len(problems) - _SHOWN} more; hygiene fleet status lists them")
    partly = len(problems) - len(tally.failed)
    click.echo(
        f"{tally.repositories} repositories, {tally.changed} changed, {len(tally.failed)} failed"
        f"{f', {partly} not scanned whole' if partly > 0 else ''}: {found.exposures} exposures in {found.places} places"
    )
    if problems or tally.failed or not listed:
        return ExitCode.INCOMPLETE
    return ExitCode.FINDINGS if found.exposures else ExitCode.CLEAN
