"""``hygiene access request``."""

from __future__ import annotations

import click

from hygiene.cli.compose import compose, config_option, notice, store_option
from hygiene.errors import UsageError
from hygiene.moment import parse_duration
from hygiene.store.protocol import Store, TimeLimited


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--reason", required=True, help="Why; it stands in the audit.")
@click.option("--for", "duration", default="8h", show_default=True, metavar="DURATION", help="For how long.")
@click.option("--break-glass", is_flag=True, help="Open it at once, if you may grant; loud in the audit.")
@store_option
@config_option
def request(
    *, paths: tuple[str, ...], reason: str, duration: str, break_glass: bool, store_name: str, config_path: str | None
) -> None:
    """Ask to read the secrets that PATH… cover, for a time; prints the request's id."""
    if not reason.strip():
        raise UsageError("say why: --reason TEXT")
    length = parse_duration(duration)
    composition = compose(config_path)
    store = time_limited(composition.bare_store(store_name))
    wanted = ", ".join(paths)
    with composition.recorder.access("access.request", wanted, reason=reason, duration=duration) as result:
        asked = store.request_access(paths, reason, length)
        result["request"] = asked.id
    click.echo(asked.id)
    if break_glass:
        with composition.recorder.access("access.break-glass", wanted, reason=reason, request=asked.id):
            opened = store.decide_access(asked.id, approved=True, reason=reason, break_glass=True)
        notice(f"BREAK GLASS: {wanted} is open until {opened.until:%Y-%m-%d %H:%M} UTC; this is in the audit")
    else:
        notice(f"someone who may grant approves it with: hygiene access approve {asked.id}")


def time_limited(store: Store) -> TimeLimited:
    """Give ``store`` as one with access for a time; raises :class:`UsageError` where it has none."""
    if not isinstance(store, TimeLimited):
        raise UsageError(f"{store.uri} has no access for a time from here", hint="use its own administration")
    return store


COMMANDS = (request,)
