"""``hygiene access list`` and ``whoami``."""

from __future__ import annotations

import click

from hygiene import crypto
from hygiene.cli.compose import compose, config_option, store_option
from hygiene.cli.secret.show import echo_json, echo_table
from hygiene.moment import format_moment
from hygiene.store.protocol import TimeLimited


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def list_access(as_json: bool, store_name: str, config_path: str | None) -> None:
    """List the roles of the configuration, and the requests for access that the store holds."""
    composition = compose(config_path)
    store = composition.bare_store(store_name)
    requests = store.access_requests() if isinstance(store, TimeLimited) else ()
    if as_json:
        roles = [role._asdict() for role in composition.config.roles]
        asked = [
            {**r._asdict(), "created": format_moment(r.created), "until": format_moment(r.until)} for r in requests
        ]
        echo_json({"roles": roles, "requests": asked})
        return
    echo_table(
        ("role", "members", "paths", "may"),
        [[r.name, str(len(r.members)), ", ".join(r.paths), ", ".join(r.may)] for r in composition.config.roles],
    )
    if requests:
        click.echo()
        rows = [
            [r.id, r.state, ", ".join(r.paths), format_moment(r.until), r.member.split()[0], r.reason] for r in requests
        ]
        echo_table(("request", "state", "paths", "until", "member", "reason"), rows)


@click.command()
def whoami() -> None:
    """Show the line that lets your identity in: put it among a role's members."""
    click.echo(str(crypto.find_identity(create=True, passphrase=crypto.ask_passphrase).member))


COMMANDS = (list_access, whoami)
