"""One HTTP request with a credential in it, to a host that was chosen before and never to another.

The name is resolved once, every address is checked, and the connection goes to the checked address: a name
that answers differently the second time (DNS rebinding) gains nothing. Redirects are not followed, TLS is
verified, no proxy or netrc of the environment is used, nothing is unpacked, and both time (of the name's resolution,
of connecting, of the answer) and size (of heads and body) are bounded.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from hygiene import __version__
from hygiene.deadline import within

SECONDS = 15.0
BODY_BYTES = 1 << 18
_HEAD_BYTES = 1 << 16  # of status lines and headers, the interim ones (1xx) among them
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_NEVER = tuple(  # look public to some versions of ``ipaddress``
    map(
        ipaddress.ip_network,
        (
            "64:ff9b:1::/48",  # NAT64 whose network decides what is inside (RFC 8215)
            "fec0::/10",  # site-local (RFC 3879)
            "192.0.0.0/24",  # protocol assignments (RFC 6890); Oracle's metadata
            "168.63.129.16/32",  # the platform behind each machine on Azure
        ),
    )
)


class HttpRequest(NamedTuple):
    """What is sent. The URL may hold a credential, so it is never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None

    @property
    def host(self) -> str:
        """The host and the port, if one is named."""
        return urlsplit(self.url).netloc.rpartition("@")[2].lower()

    def __repr__(self) -> str:
        return f"HttpRequest({self.method} {self.host})"


class HttpAnswer(NamedTuple):
    """What came back; ``problem`` says why there is no status."""

    status: int = 0
    body: bytes = b""
    truncated: bool = False
    problem: str = ""
    headers: Mapping[str, str] = {}  # names in lower case
    sent: bool = True  # False when the request surely never left


def fetch(
    request: HttpRequest,
    *,
    private: bool = False,
    seconds: float = SECONDS,
    body_bytes: int = BODY_BYTES,
    tls: ssl.SSLContext | None = None,
) -> HttpAnswer:
    """Send ``request`` and read at most ``body_bytes`` within ``seconds``; never raises for what the net does.

    ``private`` lets it reach addresses that are not public, for hosts that the configuration allows by name.
    """
    try:
        parts = urlsplit(request.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return HttpAnswer(problem="the URL has no valid host and port", sent=False)
    if parts.scheme not in ("https", "http") or not parts.hostname or (parts.scheme == "http" and not private):
        return HttpAnswer(problem="the URL is not an https one", sent=False)
    if "@" in parts.netloc:
        return HttpAnswer(problem="the URL names a user, which can hide the host", sent=False)
    until = time.monotonic() + seconds
    try:
        connection = _connect(parts.hostname, port, private=private, until=until)
    except (OSError, UnicodeError) as error:
        return HttpAnswer(problem=_words(error), sent=False)
    with connection, connection.dup() as watched:  # TLS takes the socket over; its twin can still be cut
        late = threading.Event()
        alarm = threading.Timer(max(until - time.monotonic(), 0), _cut, (watched, late))
        alarm.daemon = True
        alarm.start()
        try:
            answer = _exchange(request, connection, tls, body_bytes)
        finally:
            alarm.cancel()
        return answer._replace(problem="no answer in time") if late.is_set() else answer


def public_address(text: str) -> bool:
    """Say whether an IP address is one of the public internet, also when it hides inside an IPv6 one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    if any(address in network for network in _NEVER):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class _RefusedAddressError(OSError):
    """The name leads to an address that must not be reached."""


class _TooMuchError(OSError):
    """The answer does not end."""


class _Metered(io.RawIOBase):
    """Reads from a socket until that is too much: interim answers and headers count, too."""

    def __init__(self, raw: io.RawIOBase, most: int) -> None:
        self._raw, self._left = raw, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise _TooMuchError
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _connect(host: str, port: int, *, private: bool, until: float) -> socket.socket:
    found = within(max(until - time.monotonic(), 0), lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    addresses = [entry[4] for entry in found]
    if not private and not all(public_address(str(address[0])) for address in addresses):
        # One private address among several is refused, too: which one is used would be the attacker's choice.
        raise _RefusedAddressError("the host's address is not a public one")
    problem: OSError = OSError("the host has no address")
    for family, kind, protocol, _, address in found[:4]:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(max(until - time.monotonic(), 0.01))
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            problem = error
        else:
            return connection
    raise problem


def _exchange(request: HttpRequest, raw: socket.socket, tls: ssl.SSLContext | None, body_bytes: int) -> HttpAnswer:
    parts = urlsplit(request.url)
    sent = False
    try:
        connection = raw
        if parts.scheme == "https":
            connection = (tls or ssl.create_default_context()).wrap_socket(raw, server_hostname=parts.hostname)
        with connection:
            client = http.client.HTTPConnection(str(parts.hostname), parts.port)
            client.sock = connection
            client.response_class = cast(Any, partial(_metered, body_bytes))
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Host": request.host, "User-Agent": f"hygiene/{__version__}", "Accept": "application/json"}
            headers |= {"Accept-Encoding": "identity", "Connection": "close", **request.headers}
            sent = True
            client.request(request.method, target, body=request.body, headers=headers)
            response = client.getresponse()
            body = response.read(body_bytes + 1)
            told = {name.lower(): value for name, value in response.getheaders()}
            if response.length and len(body) <= body_bytes:  # what was announced did not come
                return HttpAnswer(response.status, body, False, "the answer was cut", told)
            return HttpAnswer(response.status, body[:body_bytes], len(body) > body_bytes, headers=told)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return HttpAnswer(problem=_words(error), sent=sent)


def _metered(body_bytes: int, sock: socket.socket, *rest: Any, **named: Any) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(sock, *rest, **named)
    response.fp = io.BufferedReader(_Metered(response.fp.detach(), body_bytes + _HEAD_BYTES))
    return response


def _cut(connection: socket.socket, late: threading.Event) -> None:
    """End an exchange that takes too long, whoever drips how slowly."""
    late.set()
    with contextlib.suppress(OSError):  # it may be over already
        connection.shutdown(socket.SHUT_RDWR)


def _words(error: Exception) -> str:
    if isinstance(error, _RefusedAddressError):
        return str(error)
    if isinstance(error, _TooMuchError):
        return "the answer is too large"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate does not verify: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "the host's name does not resolve"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    # Not the words of the error: those of http.client and ValueError quote the URL or a header.
    return f"the connection failed ({type(error).__name__})"
