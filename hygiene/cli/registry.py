"""The commands, each in a file of its own that is imported only when it is called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

Command = Callable[[list[str]], int]

COMMANDS = {
    "scan": "hygiene.cli.scan",
    "baseline": "hygiene.cli.baseline",
    "rules": "hygiene.cli.rules",
    "secret": "hygiene.cli.secret",
    "run": "hygiene.cli.run",
    "render": "hygiene.cli.render",
    "access": "hygiene.cli.access",
    "migrate": "hygiene.cli.migrate",
    "purge": "hygiene.cli.purge",
    "rotate": "hygiene.cli.rotate",
    "revoke": "hygiene.cli.revoke",
    "respond": "hygiene.cli.respond",
    "verify": "hygiene.cli.verify",
    "audit": "hygiene.cli.audit",
    "action": "hygiene.cli.action",
    "fleet": "hygiene.cli.fleet",
    "demo": "hygiene.cli.demo",
    "install": "hygiene.cli.install",
    "doctor": "hygiene.cli.doctor",
}

# Hooks run at every commit and every tool call: they skip click, whose import costs more than their scan.
DIRECT = {
    "hook": "hygiene.cli.hook",
    "guard": "hygiene.cli.guard",
}


def load_app() -> Command:
    """Import the click application."""
    return cast(Command, import_module("hygiene.cli.app").run)


def load_direct(name: str) -> Command:
    """Import the entry of a command that runs without click."""
    return cast(Command, import_module(DIRECT[name]).run)


def load_crash_report() -> Callable[[Exception], None]:
    """Import what reports a mistake of our own."""
    return cast(Callable[[Exception], None], import_module("hygiene.cli.crash").report)
