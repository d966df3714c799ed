"""A wire between a client and a real server that is cut at a chosen moment."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

Cut = Callable[[bytes], bool]  # what a client sent: whether the wire is cut once the server has it


class Proxy:
    """Listens on a port of the loopback interface and passes everything on to ``target``, while it is entered."""

    def __init__(self, target: int, cut: Cut, *, stays_down: bool) -> None:
        self._target = ("127.0.0.1", target)
        self._cut = cut
        self._stays_down = stays_down
        self.down = Event()
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> Proxy:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.down.is_set():
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                Thread(target=self._forward, args=(client, server), daemon=True).start()
                Thread(target=self._back, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self._cut(data):
                    self.cuts += 1
                    if self._stays_down:
                        self.down.set()
                    client.shutdown(socket.SHUT_RDWR)  # the answer does not arrive …
                    server.sendall(data)  # … to what the server has done
                    server.recv(65536)
                    break
                server.sendall(data)
        for end in (client, server):
            end.close()

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
