"""``hygiene fleet listen``: receives push events, and has what was pushed scanned."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import click
import uvicorn

from hygiene.cli.compose import notice
from hygiene.cli.fleet.opening import database_option
from hygiene.errors import ConfigError, ExitCode
from hygiene.fleet.inventory.opening import Inventory, database_url, open_inventory
from hygiene.fleet.webhook import BODY_BYTES, Receiver, application

_SECRET = "HYGIENE_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
_SHORTEST = 16  # bytes
_PATIENCE = 20.0  # seconds for the database, so that a forge gets its answer before it gives up
_AFTER_FAILURE = 60.0
_LOOK = 300.0  # seconds after which the queue is looked at without an event: another receiver may write it, too


@click.command("listen", short_help="Receive push events by webhook, and scan what was pushed.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, type=click.IntRange(0, 65535))
@click.option("--secret-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File of the secret.")
@click.option("--max-body", default=BODY_BYTES, show_default=True, type=click.IntRange(1024), help="Bytes of an event.")
@click.option("--scan/--no-scan", default=True, show_default=True, help="Scan what was pushed.")
@database_option
def command(*, host: str, port: int, secret_file: Path | None, max_body: int, scan: bool, database: str) -> int:
    """Listen for push events at /github and /gitlab, and queue a scan for each.

    HYGIENE_WEBHOOK_SECRET (or --secret-file) is the secret that the webhook was made with. Put a proxy with TLS in
    front of it.
    """
    secret = _secret(secret_file)
    url = database_url(database)
    inventory = open_inventory(url, patience=_PATIENCE)
    scanner = _Scanner(database)
    if scan:
        scanner.start()
    app = application(lambda: Receiver(inventory, secret, body_bytes=max_body, queued=scanner.wake))
    notice(f"listening on http://{host}:{port}/github and /gitlab")
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False,
        timeout_keep_alive=5, timeout_graceful_shutdown=10, backlog=2048,
    )  # fmt: skip
    _close(inventory, scanner)
    return ExitCode.CLEAN


def _secret(path: Path | None) -> bytes:
    try:
        secret = path.read_bytes().strip() if path else os.environ.get(_SECRET, "").encode()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    if len(secret) < _SHORTEST:
        raise ConfigError(
            f"the webhook needs a secret of at least {_SHORTEST} characters",
            hint=f"set {_SECRET}; openssl rand -hex 32 makes one",
        )
    return secret


def _close(inventory: Inventory, scanner: _Scanner) -> None:
    scanner.end()
    inventory.close()


class _Scanner(threading.Thread):
    """Runs ``fleet scan --queued`` in a process of its own, one at a time, whenever there are events."""

    def __init__(self, database: str) -> None:
        super().__init__(name="scanner", daemon=True)
        self._command = [sys.executable, "-m", "hygiene", "fleet", "scan", "--queued"]
        if database:
            self._command += ["--database", database]
        self._due = threading.Event()
        self._over = threading.Event()
        self._due.set()  # what was queued before we came

    def wake(self) -> None:
        """Have the queue looked at."""
        self._due.set()

    def end(self) -> None:
        """Begin no further scan."""
        self._over.set()
        self._due.set()

    def run(self) -> None:
        while not self._over.is_set():
            self._due.wait(_LOOK)
            self._due.clear()
            if self._over.is_set():
                return
            done = subprocess.run(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            if done.returncode not in (ExitCode.CLEAN, ExitCode.FINDINGS):
                self._over.wait(_AFTER_FAILURE)
                self._due.set()
