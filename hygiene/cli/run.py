"""``hygiene run``: resolves the manifest's references and runs a command with them in its environment."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hygiene.cli.compose import Composition, compose, config_option, notice
from hygiene.cli.launch import run_child
from hygiene.errors import UnresolvedReferenceError, UsageError
from hygiene.git import find_root
from hygiene.reference import Reference, parse_reference
from hygiene.replace.manifest import FILE_NAME, check_variable, read_manifest
from hygiene.secret import Secret


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--manifest", type=click.Path(dir_okay=False), help=f"Default: the nearest {FILE_NAME}.")
@click.option("--env", "extra", multiple=True, metavar="NAME=REF", help="One more, or another reference; repeatable.")
@click.option("--mask", is_flag=True, help="Replace the values by *** in what the command prints.")
@click.argument("arguments", nargs=-1, metavar="-- CMD…", type=click.UNPROCESSED)
@config_option
def command(
    manifest: str | None, extra: tuple[str, ...], mask: bool, arguments: tuple[str, ...], config_path: str | None
) -> int:
    """Run CMD with the secrets that secrets.toml names in its environment; its exit code is passed on."""
    if not arguments:
        raise UsageError("no command to run", hint="hygiene run -- CMD ARGUMENTS…")
    values = _resolved(compose(config_path), _references(manifest, extra))
    return run_child(arguments, values, mask=mask)


def _references(manifest: str | None, extra: tuple[str, ...]) -> dict[str, Reference]:
    path = Path(manifest) if manifest else _nearest_manifest(Path.cwd())
    if manifest and not Path(manifest).is_file():
        raise UsageError(f"there is no manifest at {manifest}")
    references = read_manifest(path) if path else {}
    for assignment in extra:
        name, _, reference = assignment.partition("=")
        references[check_variable(name)] = parse_reference(reference)
    if not references:
        notice(f"no {FILE_NAME} here, so the command gets no secrets")
    return references


def _nearest_manifest(start: Path) -> Path | None:
    root = find_root(start)
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        if folder == root:
            break
    return None


def _resolved(composition: Composition, references: dict[str, Reference]) -> dict[str, Secret]:
    resolver = composition.resolver()
    values = {}
    for name, reference in references.items():
        secret = resolver.resolve(reference)
        if b"\0" in secret.reveal():
            raise UnresolvedReferenceError(
                f"the value of {name} ({reference}) holds a zero byte, which no environment can",
                hint="let the program read it with: hygiene secret get",
            )
        values[name] = secret
    sys.stdout.flush()
    return values
