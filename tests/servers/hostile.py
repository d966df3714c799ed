"""A hostile server in front of a real one: it stalls, breaks off, loses answers, lies, and talks nonsense."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What is said instead of asking the real server."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


# Never an answer · RST · half of it · done, but not told · done, and told a byte now and then, for ever
SILENT, RESET, CUT, LOST, DRIP = "silent", "reset", "cut", "lost", "drip"


class Hostile:
    """The server; ``fault`` says of each request what is done instead of passing it on (None: it is passed on)."""

    def __init__(self, upstream: str) -> None:
        self.url = ""
        self.fault: Callable[[Request], str | Answer | None] = lambda _: None
        self.asked: list[Request] = []
        self._upstream = urlsplit(upstream)
        self.ended = threading.Event()

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while (request := _read(connection)) is not None:
                self.asked.append(request)
                if not self._answer(connection, request):
                    return

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        fault = self.fault(request)
        if fault == SILENT:
            self.ended.wait(60)
        elif fault == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif isinstance(fault, Answer):
            connection.sendall(_formatted(fault))
        else:
            whole = _formatted(self._pass_on(request))
            if fault == DRIP:
                self._drip(connection, whole)
                return False
            if fault != LOST:
                connection.sendall(whole[: -(len(whole) // 3)] if fault == CUT else whole)
            return fault is None
        return False

    def _drip(self, connection: socket.socket, whole: bytes) -> None:
        """Keep every read timeout from running out: the answer without its end, and then more and more headers."""
        head, _, _ = whole.partition(b"\r\n\r\n")
        for byte in head + b"\r\nX-More: " + b"x" * 60_000:
            connection.sendall(bytes([byte]))
            if self.ended.wait(0.05):
                return

    def _pass_on(self, request: Request) -> Answer:
        upstream = http.client.HTTPConnection(self._upstream.hostname or "", self._upstream.port or 80, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
        upstream.request(request.method, request.path, request.body or None, headers)
        answer = upstream.getresponse()
        body = answer.read()
        kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in ("content-length", "transfer-encoding")]
        upstream.close()
        return Answer(answer.status, body, tuple(kept))


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = next((int(v) for n, v in headers.items() if n.lower() == "content-length"), 0)
    while len(body) < length:
        body += connection.recv(65536)
    method, path, _ = first.split(" ")
    return Request(method, path, headers, body)


def _formatted(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} Told", f"Content-Length: {len(answer.body)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() != "connection"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body


@contextmanager
def hostile(upstream: str) -> Iterator[Hostile]:
    """Stand in front of the server at the URL ``upstream``."""
    server = Hostile(upstream)
    listener = socket.create_server(("127.0.0.1", 0))
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=server.serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        server.ended.set()
        listener.close()
