"""``hygiene manual``: the reference pages and the man pages, written from the commands themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

from hygiene import __version__
from hygiene.cli.explain import EXPLANATIONS, explained
from hygiene.cli.registry import DIRECT
from hygiene.configschema import config_schema
from hygiene.fileio import write_atomic

_WIDTH = 100
_MODE = 0o644
_MARK = "<!-- written by: hygiene manual --format markdown -o docs/commands -->\n\n"


class Topic(NamedTuple):
    """One command with its context, as click has it."""

    command: click.Command
    context: click.Context

    @property
    def name(self) -> str:
        """The command as it is typed."""
        return self.context.command_path

    @property
    def text(self) -> str:
        """What ``--help`` prints."""
        return direct_help(self.context.info_name or "") or self.command.get_help(self.context)


def direct_help(name: str) -> str:
    """Give the help of a command that runs without click, "" for any other."""
    return str(import_module(DIRECT[name]).HELP) if name in DIRECT else ""


@click.command("manual", short_help="Write man pages, reference pages, or the schema of the configuration.")
@click.option(
    "--format", "format_name", type=click.Choice(["man", "markdown", "schema"]), default="man", show_default=True
)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder.")
def command(format_name: str, output: Path) -> None:
    """Write one page a command into a folder, from the same text as --help; or the configuration's JSON schema.

    \b
    hygiene manual -o ~/.local/share/man/man1          then: man hygiene-scan
    hygiene manual --format markdown -o docs/commands  the reference of the documentation
    hygiene manual --format schema -o .                config.schema.json, for editors
    """
    root = click.get_current_context().find_root().command
    assert isinstance(root, click.Group)
    pages = _WRITERS[format_name](root)
    output.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        write_atomic(output / name, text.encode(), mode=_MODE)


def topics(command: click.Command, parent: click.Context | None = None, name: str = "hygiene") -> Iterator[Topic]:
    """Give ``command`` and all that is below it, but nothing hidden."""
    context = click.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH)
    context.help_option_names = ["-h", "--help"]
    yield Topic(command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None and not found.hidden:
                yield from topics(found, context, inner)


def markdown_pages(root: click.Group) -> dict[str, str]:
    """Give the reference pages by file name: one a command, its subcommands on it, and one of all exit codes."""
    pages: dict[str, list[str]] = {}
    for topic in topics(root):
        words = topic.name.split()
        page = pages.setdefault(f"{words[1] if len(words) > 1 else 'hygiene'}.md", [])
        page += [f"{'#' if not page else '##'} {topic.name}", "", "```text", topic.text.rstrip(), "```", ""]
    codes = ["# Exit codes", "", "`hygiene explain CODE` prints these.", ""]
    for one in EXPLANATIONS:
        title, *lines = explained(one)
        codes += [f"## {title}", *(line.removeprefix("  ") for line in lines), ""]
    texts = {name: _MARK + "\n".join(lines).rstrip() + "\n" for name, lines in pages.items()}
    return {**texts, "exit-codes.md": _MARK + re.sub(r"\n(?:  )- ", "\n- ", "\n".join(codes)).rstrip() + "\n"}


def man_pages(root: click.Group) -> dict[str, str]:
    """Give the man pages (section 1) by file name, one a command and one a subcommand."""
    return {f"{topic.name.replace(' ', '-')}.1": _man_page(topic) for topic in topics(root)}


def _man_page(topic: Topic) -> str:
    name = topic.name.replace(" ", "-")
    brief = topic.command.get_short_help_str(limit=120).rstrip(".")
    lines = [
        f'.TH "{name.upper()}" "1" "" "hygiene {__version__}" "hygiene"',
        ".SH NAME",
        rf"{_roff(name)} \- {_roff(brief)}",
        ".SH DESCRIPTION",
        ".nf",
        *map(_roff, topic.text.splitlines()),
        ".fi",
        ".SH EXIT STATUS",
    ]
    for one in EXPLANATIONS:
        lines += [".TP", f".B {int(one.code)}", _roff(one.meaning)]
    return "\n".join(lines) + "\n"


def schema_file(_root: click.Group) -> dict[str, str]:
    """Give the JSON schema of the configuration."""
    return {"config.schema.json": json.dumps(config_schema(), indent=2) + "\n"}


_WRITERS = {"man": man_pages, "markdown": markdown_pages, "schema": schema_file}


def _roff(line: str) -> str:
    escaped = line.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
