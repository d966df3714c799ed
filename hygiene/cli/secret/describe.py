"""``hygiene secret describe`` and ``history``."""

from __future__ import annotations

from typing import Any

import click

from hygiene.cli.compose import compose, config_option, store_option
from hygiene.cli.secret.show import ages_of, echo_json, echo_table, json_of
from hygiene.errors import NotFoundError
from hygiene.reference import check_name
from hygiene.report.terminal import printable


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def describe(name: str, as_json: bool, store_name: str, config_path: str | None) -> None:
    """Tell all about NAME but its value."""
    shown = _described(name, store_name, config_path)
    if as_json:
        echo_json(shown)
        return
    for key in ("name", "reference", "version", "owner", "created", "expires", "due", "deleted"):
        if shown[key]:
            click.echo(f"{key + ':':11}{printable(shown[key])}")
    for key, value in shown["labels"].items():
        click.echo(f"{'label:':11}{printable(f'{key}={value}')}")


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@store_option
@config_option
def history(name: str, as_json: bool, store_name: str, config_path: str | None) -> None:
    """Show the versions of NAME, newest first."""
    shown = _described(name, store_name, config_path)
    if as_json:
        echo_json(shown)
        return
    rows = [[v["version"], v["created"], v["expires"], ", ".join(v["stages"])] for v in shown["versions"]]
    echo_table(("version", "created", "expires", "stages"), rows)


def _described(name: str, store_name: str, config_path: str | None) -> dict[str, Any]:
    composition = compose(config_path)
    store = composition.store(store_name)
    told = store.describe(check_name(name))
    if told is None:
        raise NotFoundError(f"no secret {name} in {store.uri}", hint="hygiene secret list shows what is there")
    return json_of(told, ages_of(composition.config), versions=True)


COMMANDS = (describe, history)
