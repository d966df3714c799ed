"""``hygiene secret list``."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from hygiene.cli.compose import compose, config_option, store_option
from hygiene.cli.secret.show import ages_of, due_of, echo_json, echo_table, expires_of, json_of


@click.command("list")
@click.argument("prefix", default="")
@click.option("--due", "only_due", is_flag=True, help="Only those whose rotation is due.")
@click.option("--expired", "only_expired", is_flag=True, help="Only those that have expired.")
@click.option("--deleted", "with_deleted", is_flag=True, help="Show those, too, whose deletion can be undone.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def list_secrets(
    *,
    prefix: str,
    only_due: bool,
    only_expired: bool,
    with_deleted: bool,
    as_json: bool,
    store_name: str,
    config_path: str | None,
) -> None:
    """List secrets whose names start with PREFIX. With --due and --expired, those that are either."""
    composition = compose(config_path)
    ages = ages_of(composition.config)
    now = datetime.now(UTC)
    chosen = []
    for told in composition.store(store_name).list(prefix):
        due, expires = due_of(told, ages.due), expires_of(told, ages.expired)
        is_due = due is not None and due <= now
        is_expired = expires is not None and expires <= now
        wanted = not (only_due or only_expired) or (only_due and is_due) or (only_expired and is_expired)
        if wanted and (with_deleted or told.deleted is None):
            chosen.append(json_of(told, ages))
    if as_json:
        echo_json(chosen)
    elif chosen:
        columns = ("name", "version", "created", "expires", "due", "owner")
        echo_table(columns, [[entry[column] for column in columns] for entry in chosen])


COMMANDS = (list_secrets,)
