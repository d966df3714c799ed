"""A provider's HTTP interface on a local port, which can be told to misbehave at one of its calls."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

MODES = ("forbidden", "limited", "broken", "cut", "malformed")
_STATUSES = {"forbidden": 403, "limited": 429, "broken": 503}


class Call(NamedTuple):
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: Any  # JSON, or the fields of a form

    @property
    def bearer(self) -> str:
        """The token of the header Authorization, whatever word stands before it."""
        return self.headers.get("authorization", "").partition(" ")[2]

    @property
    def basic(self) -> tuple[str, str]:
        """User and password of the header Authorization."""
        user, _, password = base64.b64decode(self.bearer or "").decode().partition(":")
        return user, password


class Reply(NamedTuple):
    """One answer; a body that isn't bytes is sent as JSON."""

    status: int
    body: Any = b""
    headers: Mapping[str, str] = {}


Api = Callable[[Call], Reply]


class ApiServer:
    """A running server: what it was asked, and where it misbehaves."""

    def __init__(self, port: int, api: Api) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.host = f"127.0.0.1:{port}"
        self.calls: list[Call] = []
        self._api = api
        self._trouble: tuple[str, str, str] | None = None

    def misbehave(self, mode: str, method: str = "", path: str = "") -> None:
        """Do ``mode`` whenever a call matches; "cut" and "malformed" act first. Empty ends it."""
        self._trouble = (mode, method, path) if mode else None

    def answer(self, call: Call) -> Reply | None:
        """Answer, or None to cut the connection."""
        self.calls.append(call)
        mode, method, path = self._trouble or ("", "", "")
        if not mode or (method and call.method != method) or not call.path.startswith(path):
            return self._api(call)
        if mode in _STATUSES:
            return Reply(_STATUSES[mode], {"message": "no"})
        done = self._api(call)
        return None if mode == "cut" else Reply(done.status, b"<html>gateway</html>")


@contextmanager
def serving_api(api: Api) -> Iterator[ApiServer]:
    """Serve ``api`` on a free port."""
    holder: list[ApiServer] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            reply = holder[0].answer(Call(self.command, parts.path, query, headers, _body(raw, headers)))
            if reply is None:
                self.close_connection = True
                return
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    holder.append(ApiServer(server.server_port, api))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield holder[0]
    finally:
        server.shutdown()
        server.server_close()


def _body(raw: bytes, headers: dict[str, str]) -> Any:
    if "x-www-form-urlencoded" in headers.get("content-type", ""):
        return {key: values[0] for key, values in parse_qs(raw.decode()).items()}
    try:
        return json.loads(raw)
    except ValueError:
        return None
