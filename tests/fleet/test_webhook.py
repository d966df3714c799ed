from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from hygiene.fleet.inventory.events import pending
from hygiene.fleet.inventory.models import Event
from hygiene.fleet.inventory.opening import Inventory, database_url, open_inventory
from tests.e2e.credentials import Forge
from tests.fleet.fleet import generate
from tests.fleet.forges import forge
from tests.servers.process import free_port

_SECRET = "word" * 8


class Listener:
    def __init__(self, process: subprocess.Popen[bytes], port: int, inventory: Inventory) -> None:
        self.process = process
        self.port = port
        self.inventory = inventory

    def post(self, path: str, body: bytes, **headers: str) -> int:
        return self.send(path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def send(self, path: str, body: Any, headers: dict[str, str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def github(self, body: bytes, *, event: str = "push", signature: str | None = None) -> int:
        signed = "sha256=" + hmac.new(_SECRET.encode(), body, "sha256").hexdigest()
        signature = signed if signature is None else signature
        return self.post("/github", body, X_GitHub_Event=event, X_Hub_Signature_256=signature)

    def gitlab(self, body: bytes, *, token: str = _SECRET, event: str = "Push Hook") -> int:
        return self.post("/gitlab", body, X_Gitlab_Event=event, X_Gitlab_Token=token)

    def events(self) -> int:
        return self.inventory.run(lambda session: session.scalar(select(func.count()).select_from(Event))) or 0

    def memory(self) -> int:
        """Give the most memory that the process ever held, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


@contextmanager
def listening(folder: Path, *options: str) -> Iterator[Listener]:
    port = free_port()
    environment = {**os.environ, "HYGIENE_HOME": str(folder / "home"), "HYGIENE_WEBHOOK_SECRET": _SECRET}
    command = [sys.executable, "-m", "hygiene", "fleet", "listen", "--port", str(port), *options]
    process = subprocess.Popen(command, env=environment, cwd=folder)
    try:
        _until(lambda: _is_up(port), 60)
        os.environ["HYGIENE_HOME"] = str(folder / "home")
        yield Listener(process, port, open_inventory(database_url()))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    with listening(tmp_path, "--no-scan", "--max-body", "200000") as served:
        yield served


def _is_up(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)


def _push(number: int, after: str = "b" * 40, **more: Any) -> bytes:
    repository = {"id": number, "full_name": f"acme/r{number}", "clone_url": f"https://example.invalid/r{number}.git"}
    return json.dumps({"ref": "refs/heads/main", "after": after, "repository": repository, **more}).encode()


def _gitlab_push(number: int) -> bytes:
    project = {"id": number, "git_http_url": f"https://example.invalid/r{number}.git"}
    return json.dumps({"object_kind": "push", "project_id": number, "project": project}).encode()


def test_webhook_answers_say_what_became_of_an_event(listener: Listener) -> None:
    assert listener.github(_push(1)) == 202
    assert listener.github(_push(1)) == 200  # a replay
    assert listener.github(_push(1), signature="sha256=" + "0" * 64) == 401
    assert listener.github(_push(2), signature="") == 401
    assert listener.github(_push(2), signature="sha256=é") == 401
    assert listener.post("/github", _push(2), X_GitHub_Event="push") == 401
    assert listener.github(b'{"zen": "x"}', event="ping") == 204
    assert listener.gitlab(_gitlab_push(1)) == 202
    assert listener.gitlab(_gitlab_push(1)) == 200
    assert listener.gitlab(_gitlab_push(2), token="other") == 401
    assert listener.gitlab(json.dumps({"event_name": "project_create"}).encode(), event="System Hook") == 204
    for body in (b"", b"[]", b"nonsense", b"[" * 100_000, b'{"repository": {"id": "1"}}', b"\xff\xfe",
                 b'{"repository": {"id": %s}}' % (b"9" * 40)):  # fmt: skip
        assert listener.github(body) == 400
    assert listener.events() == 2


def test_webhook_huge_bodies_are_refused_within_bounded_memory(listener: Listener) -> None:
    before = listener.memory()

    def announced(_: int) -> int:
        return listener.send("/github", b"x", {"Content-Length": str(10**12), "X-GitHub-Event": "push"})

    def streamed(_: int) -> int:
        try:
            return listener.send("/github", (b"x" * 65536 for _ in range(320)), {"X-GitHub-Event": "push"})
        except OSError:  # it hung up on us, which is an answer, too
            return 413

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(announced, range(16))) == {413}
        assert set(pool.map(streamed, range(48))) == {413}
    assert listener.memory() - before < 40 << 20
    assert listener.github(_push(1)) == 202


def _at_once(listener: Listener, bodies: list[bytes]) -> list[int]:
    """Send all ``bodies`` on a connection each, open at the same time; gives the answers' status."""

    async def one(body: bytes) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        signature = hmac.new(_SECRET.encode(), body, "sha256").hexdigest()
        head = f"POST /github HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        head += f"X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={signature}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1])

    async def everybody() -> list[int]:
        return await asyncio.gather(*map(one, bodies))

    return asyncio.run(everybody())


def test_webhook_burst_loses_nothing_even_when_the_server_is_killed_after(listener: Listener) -> None:
    before = listener.memory()
    padding = "x" * 20_000
    answers = _at_once(listener, [_push(number, padding=padding) for number in range(1, 1001)])
    grown = listener.memory() - before
    listener.process.kill()
    print(f"1000 events of 20 kB at once: {grown >> 20} MiB more than {before >> 20} MiB")
    assert answers == [202] * 1000
    assert listener.events() == 1000
    assert grown < 80 << 20


def test_webhook_burst_of_replays_is_queued_once(listener: Listener) -> None:
    answers = _at_once(listener, [_push(number % 10 + 1) for number in range(500)])
    assert sorted(answers) == [200] * 490 + [202] * 10
    assert listener.events() == 10


def test_webhook_burst_waits_for_an_inventory_that_another_writes(listener: Listener) -> None:
    with sqlite3.connect(str(listener.inventory.engine.url.database), isolation_level=None) as other:
        other.execute("begin immediate")
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(_at_once, listener, [_push(number) for number in range(1, 201)])
            time.sleep(3)
            assert not answers.done()
            other.execute("commit")
            assert answers.result(60) == [202] * 200
    assert listener.events() == 200


def test_webhook_burst_keeps_memory_bounded(listener: Listener) -> None:
    before = listener.memory()
    body = _push(7, padding="x" * 150_000)
    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(lambda n: listener.github(body[:-1] + b', "n": %d}' % n), range(1000))) == {202}
    grown = listener.memory() - before
    print(f"1000 events of 150 kB: {grown >> 20} MiB more than {before >> 20} MiB")
    assert grown < 60 << 20


@pytest.mark.slow
def test_webhook_push_is_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    origin = generate(tmp_path / "origin", ["one"])[0]
    with forge() as served:
        served.add(1, "acme/one", f"file://{origin.folder}")
        subprocess.run(
            [sys.executable, "-m", "hygiene", "fleet", "add", "github:acme", "--api", served.base], check=True
        )
        with listening(tmp_path) as listener:
            assert listener.github(_push(1)) == 202
            _until(lambda: not listener.inventory.run(pending).events, 60)
            origin.commit("leak", **{"late.py": f'K = "{Forge(21).github()}"\n'.encode()})
            assert listener.github(_push(1, after=hashlib.sha1(b"x").hexdigest())) == 202
            _until(lambda: not listener.inventory.run(pending).events, 60)
    shown = subprocess.run(
        [sys.executable, "-m", "hygiene", "fleet", "report", "--repository", "acme/one"], capture_output=True, text=True
    )
    assert "late.py" in shown.stdout


@pytest.mark.parametrize("secret", ["", "short"])
def test_webhook_without_a_secret_does_not_listen(secret: str, tmp_path: Path) -> None:
    environment = {**os.environ, "HYGIENE_HOME": str(tmp_path), "HYGIENE_WEBHOOK_SECRET": secret}
    done = subprocess.run(
        [sys.executable, "-m", "hygiene", "fleet", "listen", "--port", "0"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
