"""A real Chromium for tests, driven over its debugging pipe (Chrome DevTools Protocol): no driver, no port."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, profile: Path, *options: str) -> None:
        """Start it with its own ``profile``."""
        assert PROGRAM is not None
        from_us, self._to_browser = os.pipe()
        self._from_browser, to_us = os.pipe()
        # The protocol is spoken on descriptors 3 (to the browser) and 4 (from it).
        high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10) for descriptor in (from_us, to_us)]
        null = os.open(os.devnull, os.O_WRONLY)
        moves = [(os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4), (os.POSIX_SPAWN_DUP2, null, 2)]
        command = [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        command += [f"--user-data-dir={profile}", *options, "about:blank"]
        self.process = os.posix_spawn(PROGRAM, command, os.environ, file_actions=moves)
        for descriptor in (from_us, to_us, null, *high):
            os.close(descriptor)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        self._session = ""
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_error: object) -> None:
        os.kill(self.process, signal.SIGTERM)
        os.waitpid(self.process, 0)
        os.close(self._to_browser)
        os.close(self._from_browser)

    def open(self, path: Path) -> None:
        """Load the file ``path`` and wait until it has loaded."""
        self.events.clear()
        self._send("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def run(self, script: str) -> Any:
        """Evaluate ``script`` in the page (a promise is awaited) and give its value."""
        answer = self._send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def emulate(self, *, dark: bool = False, media: str = "") -> None:
        """Prefer dark colours, or show the page as a medium such as print does."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._send("Emulation.setEmulatedMedia", media=media, features=features)

    def scripts(self, *, allowed: bool) -> None:
        """Let the pages that are opened next run scripts of their own, or not."""
        self._send("Emulation.setScriptExecutionDisabled", value=not allowed)

    def screenshot(self, path: Path) -> None:
        """Write what is seen to a PNG."""
        path.write_bytes(base64.b64decode(self._send("Page.captureScreenshot")["data"]))

    def complaints(self) -> list[str]:
        """Give what the browser logged: refused scripts, failed requests, exceptions."""
        found = [e["params"]["entry"]["text"] for e in self.events if e["method"] == "Log.entryAdded"]
        return found + [str(e["params"]) for e in self.events if e["method"] == "Runtime.exceptionThrown"]

    def requests(self) -> list[str]:
        """Give the addresses that the page asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]

    def dialogs(self) -> int:
        """Count the dialogs that a script opened."""
        return sum(event["method"] == "Page.javascriptDialogOpening" for event in self.events)

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            chunk = os.read(self._from_browser, 1 << 16)
            assert chunk, "the browser is gone"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)
