"""The HTTP client against servers that misbehave."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hygiene.rotate.net import HttpAnswer, HttpRequest, fetch, public_address
from tests.servers.certificates import Authority

TOKEN = "hyg" + "_test_token"


@contextmanager
def serving(answer: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve each connection with ``answer`` on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                answer(connection)
            except OSError:
                pass
            finally:
                connection.close()

    threading.Thread(target=work, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def saying(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(text)

    return answer


def request(port: int, scheme: str = "http") -> HttpRequest:
    return HttpRequest("GET", f"{scheme}://127.0.0.1:{port}/me", {"Authorization": f"Bearer {TOKEN}"})


def test_answer_is_read() -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok")) as port:
        answer = fetch(request(port), private=True)
    assert (answer.status, answer.body, answer.headers["x-a"]) == (200, b"ok", "b")


def test_private_address_is_refused_unless_allowed_by_name() -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        answer = fetch(request(port, "https"))
    assert "not a public one" in answer.problem and not answer.sent


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("::ffff:1.1.1.1", True),
        ("::ffff:169.254.169.254", False),
        ("::ffff:7f00:1", False),
        ("::10.0.0.1", False),
        ("::", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::808:808", False),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False),
        ("fd00:ec2::254", False),
        ("fec0::1", False),
        ("100.100.100.200", False),
        ("168.63.129.16", False),
        ("192.0.0.192", False),
        ("198.18.0.1", False),
        ("255.255.255.255", False),
    ],
)
def test_public_addresses_are_told_from_private_ones(address: str, public: bool) -> None:
    assert public_address(address) is public


def test_name_that_changes_its_address_is_connected_where_it_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    asked, connected = [], []

    def resolve(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answers[min(len(asked), 2) - 1]]

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    fetch(HttpRequest("GET", "https://rebind.example/"))
    assert asked == ["rebind.example"] and connected == ["93.184.216.34"]


def test_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    assert "not a public one" in fetch(HttpRequest("GET", "https://mixed.example/")).problem


def test_redirect_is_not_followed() -> None:
    seen: list[bytes] = []

    def catch(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))

    with serving(catch) as other:
        text = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n"
        with serving(saying(text.encode())) as port:
            assert fetch(request(port), private=True).status == 302
    assert seen == []


def test_huge_answer_is_cut() -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(flood) as port:
        answer = fetch(request(port), private=True, body_bytes=1000)
    assert (len(answer.body), answer.truncated) == (1000, True)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_slow_answer_is_bounded_in_all(start: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(start)
        for _ in range(400):
            connection.sendall(b"X")
            time.sleep(0.05)

    with serving(drip) as port:
        began = time.monotonic()
        answer = fetch(request(port), private=True, seconds=1.0)
    assert time.monotonic() - began < 8
    assert answer.problem or start.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "text",
    [b"", b"HTTP/1.1", b"\x00\xff" * 50, b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nx"],
)
def test_broken_answer_is_a_problem_and_shows_no_token(text: bytes) -> None:
    with serving(saying(text)) as port:
        answer = fetch(request(port), private=True)
    assert answer.problem and answer.sent
    assert TOKEN not in repr(answer)


def test_certificate_is_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server, other = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2))
    server.load_cert_chain(*authority.issue("server", "IP:127.0.0.1"))
    other.load_cert_chain(*authority.issue("other", "DNS:other.example"))
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    ok = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with serving(ok, server) as port:
        assert fetch(request(port, "https"), private=True, tls=trusting).status == 200
        untrusted = fetch(request(port, "https"), private=True)
        assert "certificate" in untrusted.problem and not untrusted.sent
    with serving(ok, other) as port:
        assert "certificate" in fetch(request(port, "https"), private=True, tls=trusting).problem


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(saying(b"HTTP/1.1 204 No\r\n\r\n")) as port:
        assert fetch(request(port), private=True).status == 204


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0"),
        *("localhost", "localhost.", "LOCALHOST", "\uff11\uff12\uff17.0.0.1", "\u2460\u2461\u2466.0.0.1"),
        *(
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
            "[fd00:ec2::254]",
        ),
        *("169.254.169.254", "2852039166", "0xa9fea9fe", "168.63.129.16", "100.100.100.200"),
        *(
            "api.github.com@127.0.0.1",
            "u:p@api.github.com",
            "api.github.com\\\\@127.0.0.1",
            "127.0.0.1#@api.github.com",
        ),
        *("[::1", "[::1]x", "a\u2100b", "a b", "a\x00b", "-", ".", "", "%31%32%37.0.0.1"),
    ],
)
def test_address_in_disguise_is_refused_before_anything_is_sent(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        pytest.fail(f"connected to {address}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    answer = fetch(HttpRequest("GET", f"https://{host}/", {"Authorization": TOKEN}), seconds=5)
    assert answer.problem and not answer.sent


@pytest.mark.parametrize(
    ("text", "again"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", True),
        (b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, False),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * 60_000, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", False),
        (b"HTTP/1.1 200 " + b"x" * 70_000, False),
        (b"HTTP/1.1 99999999999 OK\r\n\r\n", False),
        (b"<html>an answer of HTTP/0.9</html>\n" * 100, False),
        (b"ICY 200 OK\r\n\r\n", False),
        (b"HTTP/9.9 \r\n\r\n", False),
    ],
)
def test_flood_and_junk_in_the_head_are_a_problem_soon(text: bytes, again: bool) -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(text)
        while again:
            connection.sendall(text * 1000)

    with serving(flood) as port:
        began = time.thread_time()
        answer = fetch(request(port), private=True, seconds=20)
    assert answer.problem and answer.problem != "no answer in time"
    assert time.thread_time() - began < 5


def test_packed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"x" * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    with serving(saying(head.encode() + bomb)) as port:
        answer = fetch(request(port), private=True)
    assert answer.body == bomb


def test_name_that_does_not_resolve_in_time_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(30))
    answer = fetch(HttpRequest("GET", "https://slow.example/"), seconds=0.2)
    done.set()
    assert answer == HttpAnswer(problem="no answer in time", sent=False)


def test_addresses_that_do_not_answer_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"93.184.216.{n}", 443)) for n in range(4)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    given: list[float] = []

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        timeout = self.gettimeout() or 0.0
        given.append(timeout)
        time.sleep(min(timeout, 0.2))
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert fetch(HttpRequest("GET", "https://many.example/"), seconds=0.5).problem == "no answer in time"
    assert given == sorted(given, reverse=True) and given[-1] < 0.1


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_other_proxies_of_the_environment_are_not_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with serving(saying(b"HTTP/1.1 204 No\r\n\r\n")) as port:
        assert fetch(request(port), private=True).status == 204


@pytest.mark.parametrize("url", ["ftp://a/", "http://public.example/", "https:///x", "https://a:99999/", "nonsense"])
def test_other_urls_are_refused(url: str) -> None:
    answer = fetch(HttpRequest("GET", url))
    assert answer.problem and not answer.sent
