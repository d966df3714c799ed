"""moto over HTTP: IAM, STS and Secrets Manager, with authentication enforced on demand."""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers.process import accepts, free_port, running


class Moto(NamedTuple):
    """A running server."""

    url: str

    def reset(self) -> None:
        """Forget everything, and let every call pass."""
        self._post("/moto-api/reset", b"")
        self.enforce(10**9)

    def enforce(self, after: int = 0) -> None:
        """Check signatures and policies, after this many more calls."""
        self._post("/moto-api/reset-auth", str(after).encode())

    def _post(self, path: str, body: bytes) -> None:
        headers = {"Content-Type": "text/plain"}
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method="POST")
        urllib.request.urlopen(request, timeout=10).read()


@contextmanager
def moto(folder: Path) -> Iterator[Moto]:
    """Run a new server; skips where moto is not installed."""
    program = Path(sys.executable).with_name("moto_server")
    if not program.exists():
        pytest.skip("not installed: moto[server]")
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, log=folder / "moto.log", ready=accepts(port), environment=environment):
        yield Moto(f"http://127.0.0.1:{port}")
