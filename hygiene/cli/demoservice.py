"""The little service of ``hygiene demo``: it knows its tokens by their hash, and gives a new one for a valid one."""

from __future__ import annotations

import hashlib
import json
import secrets
import string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32


class Service:
    """Listens on a free port of the loopback interface while it is entered."""

    def __init__(self) -> None:
        """Begin with no valid token."""
        self._valid: set[bytes] = set()
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Service:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def issue(self) -> str:
        """Make a valid token."""
        new = new_token()
        with self._lock:
            self._valid.add(_digest(new))
        return new

    def knows(self, token: str) -> bool:
        """Say whether ``token`` is valid."""
        return _digest(token) in self._valid

    def revoke(self, token: str) -> None:
        """Make ``token`` worthless."""
        with self._lock:
            self._valid.discard(_digest(token))


def new_token() -> str:
    """Make a token that no service knows yet."""
    return "shop_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if service.knows(self._token()) else 401, {})

        def do_POST(self) -> None:
            token = self._token()
            if not service.knows(token):
                self._answer(401, {})
                return
            new = service.issue()
            service.revoke(token)
            self._answer(200, {"token": new})

        def do_DELETE(self) -> None:
            service.revoke(self._token())
            self._answer(204, {})

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing: a request line could hold what must not be shown."""

        def _token(self) -> str:
            return self.headers.get("Authorization", "").removeprefix("Bearer ")

        def _answer(self, status: int, body: dict[str, str]) -> None:
            content = json.dumps(body).encode() if status != 204 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
