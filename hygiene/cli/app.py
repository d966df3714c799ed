"""The click application: a group whose commands are imported when called."""

from __future__ import annotations

import re
from importlib import import_module
from typing import cast

import click
from click.shell_completion import CompletionItem

from hygiene import __version__
from hygiene.cli.contents import CONTENTS
from hygiene.cli.registry import COMMANDS, DIRECT, EXTRAS
from hygiene.cli.undumpable import forbid_dumps
from hygiene.errors import ExitCode, UsageError
from hygiene.suggestion import suggest

_EXTRA = re.compile(r"(extra arguments?) \(.*\)", re.DOTALL)
_UNKNOWN = re.compile(r"No such command '(.*)'\.", re.DOTALL)


class _LazyGroup(click.Group):
    """Finds a command in the registry and imports its module only then."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *DIRECT]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if cmd_name in DIRECT:
            return click.Command(cmd_name)
        if module is None:
            return None
        try:
            return cast(click.Command, import_module(module).command)
        except ModuleNotFoundError as error:
            if (error.name or "hygiene").startswith("hygiene"):
                raise
            return _without_package(cmd_name, str(error.name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for section in CONTENTS.values() for name in section)
        for title, section in CONTENTS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{width}}", brief) for name, brief in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        listed = [item for section in CONTENTS.values() for item in section.items() if item[0].startswith(incomplete)]
        commands = [CompletionItem(name, help=brief) for name, brief in listed]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


def _without_package(name: str, package: str) -> click.Command:
    """Stand in for a command whose packages a bare install lacks: it says what to install."""

    def refuse() -> None:
        raise UsageError(f"hygiene {name} needs the Python package {package}", hint=EXTRAS)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=refuse, context_settings=anything)


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="hygiene COMMAND --help has examples; hygiene explain CODE says what an exit code means.",
)
@click.version_option(__version__, prog_name="hygiene")
def app() -> None:
    """Find leaked credentials, store them, replace them by references, rotate them, prove it.

    \b
    hygiene scan                 what leaks in this folder?
    hygiene scan --history       … and in every commit?
    hygiene migrate --apply      move it into a store, leave references
    hygiene rotate --leaked      make what leaked worthless
    hygiene audit exposures      show that it is over
    """


def run(arguments: list[str]) -> int:
    """Run the application; a command returns its exit code (None means 0)."""
    forbid_dumps()
    try:
        code = app.main(arguments, prog_name="hygiene", standalone_mode=False)
    except click.exceptions.Abort as error:
        raise KeyboardInterrupt from error
    except click.ClickException as error:
        _with_suggestion(_without_words(error)).show()
        return ExitCode.USAGE
    return code if isinstance(code, int) else ExitCode.CLEAN


def _without_words(error: click.ClickException) -> click.ClickException:
    """Give ``error`` without the words that had no place: one may be a value that was meant for stdin."""
    if isinstance(error, click.UsageError) and _EXTRA.search(error.message):
        return click.UsageError(_EXTRA.sub(r"\1 (not shown)", error.message), error.ctx)
    return error


def _with_suggestion(error: click.ClickException) -> click.ClickException:
    """Give ``error`` with the command that a misspelt one was probably meant to be."""
    unknown = _UNKNOWN.fullmatch(error.message)
    if unknown and isinstance(error, click.UsageError) and error.ctx and isinstance(error.ctx.command, click.Group):
        meant = suggest(unknown[1], error.ctx.command.list_commands(error.ctx))
        if meant:
            return click.UsageError(f"{error.message} {meant[0].upper()}{meant[1:]}", error.ctx)
    return error
