"""No command without its canary: one that is added and planted nowhere fails here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from hygiene.cli.registry import COMMANDS, DIRECT

HERE = Path(__file__).parent
CANARIES = [*sorted(HERE.glob("test_canary*.py")), HERE.parent / "cli" / "test_store_canary.py"]


def commands() -> Iterator[tuple[str, ...]]:
    """Give every command that can be run, as the words that call it."""
    for name, module in COMMANDS.items():
        yield from _leaves((name,), import_module(module).command)
    yield from ((name,) for name in DIRECT)


def _leaves(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        yield path
        return
    for name in command.list_commands(click.Context(command)):
        part = command.get_command(click.Context(command), name)
        assert part is not None
        yield from _leaves((*path, name), part)


def planted() -> set[tuple[str, ...]]:
    """Give the words that the canary tests call: every run of constants in a call or a tuple."""
    found = set()
    for path in CANARIES:
        for node in ast.walk(ast.parse(path.read_text())):
            parts = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else ()
            words = [part.value if isinstance(part, ast.Constant) else None for part in parts]
            found |= {tuple(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(len(words), i + 3) + 1)}
    return found


PLANTED = planted()


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_command_is_run_by_a_canary_test(command):
    assert command in PLANTED, f"plant a value in hygiene {' '.join(command)}: tests/faults/test_canary*.py"
