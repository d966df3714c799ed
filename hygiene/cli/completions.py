"""``hygiene completions``: what a shell needs to complete commands, options and choices."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_HYGIENE_COMPLETE"


@click.command("completions", short_help="Completion for bash, zsh or fish.")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Write a script for SHELL that completes commands, options and choices.

    \b
    hygiene completions bash > ~/.local/share/bash-completion/completions/hygiene
    hygiene completions zsh  > ~/.zfunc/_hygiene        (with fpath+=~/.zfunc in .zshrc)
    hygiene completions fish > ~/.config/fish/completions/hygiene.fish
    """
    made = get_completion_class(shell)
    assert made is not None
    root = click.get_current_context().find_root().command
    completer = made(root, {}, "hygiene", _VARIABLE)
    click.echo(completer.source_template % completer.source_vars())
