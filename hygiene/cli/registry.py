"""The commands, each in a file of its own that is imported only when it is called."""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hygiene.cli.checkup import Result
    from hygiene.finding import ScanResult

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
    "init": "hygiene.cli.init",
    "install": "hygiene.cli.install",
    "lsp": "hygiene.cli.lsp",
    "doctor": "hygiene.cli.doctor",
    "explain": "hygiene.cli.explain",
    "completions": "hygiene.cli.completions",
    "manual": "hygiene.cli.manual",
}

EXTRAS = "pip install 'secret-hygiene[all]'"  # for what a bare install lacks

# Hooks run at every commit and every tool call: they skip click, whose import costs more than their scan.
DIRECT = {
    "hook": "hygiene.cli.hook",
    "guard": "hygiene.cli.guard",
}


def load_boundary() -> "Command":
    """Import what runs a command and prints its errors."""
    main: Command = import_module("hygiene.cli.boundary").main
    return main


def load_app() -> "Command":
    """Import the click application."""
    run: Command = import_module("hygiene.cli.app").run
    return run


def load_direct(name: str) -> "Command":
    """Import the entry of a command that runs without click."""
    run: Command = import_module(DIRECT[name]).run
    return run


def load_glance() -> "Callable[[list[str]], bool]":
    """Import what answers most calls of a hook; who asks for the version has no use for it."""
    glance: Callable[[list[str]], bool] = import_module("hygiene.cli.glance").is_clean_hook
    return glance


def load_guard_glance() -> "Callable[[str, str], bool]":
    """Import what answers most messages of a coding assistant."""
    glance: Callable[[str, str], bool] = import_module("hygiene.cli.guardglance").is_clean_message
    return glance


def load_verifier() -> "Callable[[ScanResult, Path | None, str], ScanResult]":
    """Import what asks providers about findings: only on request, since it is a login."""
    verifier: Callable[[ScanResult, Path | None, str], ScanResult] = import_module("hygiene.cli.verifying").verified
    return verifier


def load_store_checks() -> "Callable[[Path, Path | None], Iterator[Result]]":
    """Import the doctor's checks of what a bare install lacks. Raises ModuleNotFoundError there."""
    checks: Callable[[Path, Path | None], Iterator[Result]] = import_module("hygiene.cli.checkupstore").store_checks
    return checks


def load_printable() -> "Callable[[str], str]":
    """Import what makes text safe for a terminal: only an error needs it here."""
    printable: Callable[[str], str] = import_module("hygiene.report.terminal").printable_lines
    return printable


def load_crash_report() -> "Callable[[Exception], None]":
    """Import what reports a mistake of our own."""
    report: Callable[[Exception], None] = import_module("hygiene.cli.crash").report
    return report
