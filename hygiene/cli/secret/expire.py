"""``hygiene secret expire``."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.errors import UsageError
from hygiene.moment import format_moment, later, parse_duration, parse_moment
from hygiene.reference import check_name


@click.command()
@click.argument("name")
@click.option("--at", metavar="TIME", help="At this moment.")
@click.option("--in", "within", metavar="DURATION", help="After this long, such as 12h or 90d.")
@click.option("--now", "at_once", is_flag=True, help="At once.")
@click.option("--never", is_flag=True, help="Not any more.")
@store_option
@config_option
def expire(
    *,
    name: str,
    at: str | None,
    within: str | None,
    at_once: bool,
    never: bool,
    store_name: str,
    config_path: str | None,
) -> None:
    """Say when NAME must not be used any more."""
    if sum((at is not None, within is not None, at_once, never)) != 1:
        raise UsageError("say when: one of --at TIME, --in DURATION, --now, --never")
    moment = _moment(at, within, never)
    compose(config_path).store(store_name).expire(check_name(name), moment)
    notice(f"{name} expires {format_moment(moment) or 'never'}")


def _moment(at: str | None, within: str | None, never: bool) -> datetime | None:
    if never:
        return None
    if at is not None:
        return parse_moment(at)
    return later(parse_duration(within)) if within is not None else datetime.now(UTC)


COMMANDS = (expire,)
