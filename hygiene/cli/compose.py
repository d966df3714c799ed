"""The one place that opens what commands work with: configuration, audit log, audited stores, resolver.

A store leaves this module only inside its audit: an access that can't be recorded does not happen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from hygiene.config import Config, find_config, read_config
from hygiene.errors import ConfigError
from hygiene.git import find_root
from hygiene.moment import duration_of
from hygiene.places import home_folder
from hygiene.prove.audited import audited
from hygiene.prove.event import Recorder
from hygiene.prove.log import latest_time, open_log
from hygiene.reference import Reference
from hygiene.report.terminal import printable_lines
from hygiene.store.protocol import Store
from hygiene.store.registry import open_store, store_uri
from hygiene.store.resolve import Resolver

Function = TypeVar("Function", bound=Callable[..., Any])
AUDIT_FOLDER = "audit"
_TOLERANCE = timedelta(minutes=5)  # by which clocks differ and are set right


class Composition:
    """What one run of a command works with; each part is opened when it is first asked for."""

    def __init__(self, config: Config) -> None:
        """Work by ``config``."""
        self.config = config
        self._recorder: Recorder | None = None
        self._stores: dict[str, Store] = {}
        self._told_of_clock = False

    @property
    def recorder(self) -> Recorder:
        """The audit log of this user."""
        if self._recorder is None:
            self._recorder = open_log(home_folder() / AUDIT_FOLDER)
        return self._recorder

    def store(self, uri_or_name: str = "") -> Store:
        """Open a store by its URI or configured name (default: the embedded store), inside its audit."""
        if uri_or_name not in self._stores:
            self._stores[uri_or_name] = audited(open_store(uri_or_name, self.config), self.recorder)
        return self._stores[uri_or_name]

    def bare_store(self, uri_or_name: str = "") -> Store:
        """Open a store for its administration, which reads no value; the command records what it does itself."""
        return open_store(uri_or_name, self.config)

    def store_of(self, reference: Reference) -> Store:
        """Open the store that ``reference`` points into, inside its audit."""
        return self.store(store_uri(reference, self.config))

    def resolver(self, open_store: Callable[[Reference], Store] | None = None) -> Resolver:
        """Give what resolves references by this configuration's rule on expired secrets."""
        lenient = self.config.expiry_when == "warn"
        live_for = duration_of(self.config.expiry_after)
        return Resolver(
            open_store or self.store_of, warn_expired=lenient, live_for=live_for, warn=warn, now=self._present
        )

    def _present(self) -> datetime:
        """Give the time; a clock that was set back makes nothing live again that has expired."""
        now, latest = datetime.now(UTC), latest_time(home_folder() / AUDIT_FOLDER)
        if latest is None or now >= latest - _TOLERANCE:
            return now
        if not self._told_of_clock:
            self._told_of_clock = True
            warn(
                f"this machine's clock is behind the audit log, whose latest entry is of {latest:%Y-%m-%d %H:%M} UTC; "
                "expiry is judged by that (should the log be wrong: hygiene audit restart)"
            )
        return latest


def compose(config_path: str | None = None, *, start: Path | None = None) -> Composition:
    """Read the configuration that holds in ``start`` (default: here) and give what commands work with."""
    if config_path is not None:
        path = Path(config_path)
        if not path.is_file():
            raise ConfigError(f"there is no configuration at {path}")
        return Composition(read_config(path))
    folder = start or Path.cwd()
    return Composition(read_config(find_config(folder, find_root(folder))))


def warn(message: str) -> None:
    """Say ``message`` on stderr."""
    print(f"hygiene: warning: {printable_lines(message)}", file=sys.stderr)


def notice(message: str) -> None:
    """Tell what was done, on stderr: stdout carries only results."""
    print(f"hygiene: {printable_lines(message)}", file=sys.stderr)


def config_option(command: Function) -> Function:
    """Add ``--config FILE`` to a command."""
    return click.option(
        "--config", "config_path", metavar="FILE", help="Configuration to use instead of the nearest one."
    )(command)


def store_option(command: Function) -> Function:
    """Add ``--store NAME|URI`` to a command."""
    return click.option(
        "--store", "store_name", metavar="NAME|URI", default="", help="Store to use (default: the embedded one)."
    )(command)
