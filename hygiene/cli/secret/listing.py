"""``hygiene secret list``."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from hygiene.cli.compose import compose, config_option, store_option
from hygiene.cli.secret.show import due_of, echo_json, echo_table, json_of, max_age_of


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
    max_age = max_age_of(composition.config.rotation_max_age)
    now = datetime.now(UTC)
    chosen = []
    for told in composition.store(store_name).list(prefix):
        due, expires = due_of(told, max_age), told.expires
        is_due = due is not None and due <= now
        is_expired = expires is not None and expires <= now
        wanted = not (only_due or only_expired) or (only_due and is_due) or (only_expired and is_expired)
        if wanted and (with_deleted or told.deleted is None):
            chosen.append(json_of(told, max_age))
    if as_json:
        echo_json(chosen)
    elif chosen:
        columns = ("name", "version", "created", "expires", "due", "owner")
        echo_table(columns, [[entry[column] for column in columns] for entry in chosen])


COMMANDS = (list_secrets,)
