"""A proxy that refuses every so-manieth request, as rate-limited services do."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import NamedTuple
from urllib.parse import urlsplit

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


class Refusal(NamedTuple):
    """How a service says that it was asked too often."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


AWS = Refusal(
    400,
    (("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", "ThrottlingException")),
    b'{"__type":"ThrottlingException","message":"Rate exceeded"}',
)
VAULT = Refusal(
    429, (("Content-Type", "application/json"), ("Retry-After", "1")), b'{"errors":["rate limit exceeded"]}'
)


class Throttled:
    """What the proxy has seen."""

    def __init__(self, url: str, refusal: Refusal, every: int) -> None:
        """Refuse each request to ``url`` whose number ``every`` divides."""
        self.upstream, self.refusal, self.every = urlsplit(url), refusal, every
        self.url = ""
        self.asked = self.refused = 0
        self._lock = Lock()

    def admits(self) -> bool:
        """Count a request, and say whether it may pass."""
        with self._lock:
            self.asked += 1
            refused = self.asked % self.every == 0
            self.refused += refused
            return not refused


@contextmanager
def throttling(url: str, refusal: Refusal, *, every: int) -> Iterator[Throttled]:
    """Run a proxy before ``url``."""
    told = Throttled(url, refusal, every)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(*(self._forwarded(body) if told.admits() else told.refusal))

        def _forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            upstream = http.client.HTTPConnection(told.upstream.hostname or "", told.upstream.port)
            upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            return answer.status, [pair for pair in answer.getheaders() if pair[0].lower() not in _HOP], content

        def _answer(self, status: int, headers: object, content: bytes) -> None:
            self.send_response(status)
            for name, text in headers:  # type: ignore[attr-defined]
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
