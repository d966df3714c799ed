"""A fake of CyberArk's Central Credential Provider over TLS that demands a client certificate."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Ccp:
    """What the server holds, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.accounts: dict[str, dict[str, object]] = {}
        self.failures: list[tuple[int, object]] = []
        self.asked: list[dict[str, str]] = []
        self.authority = folder / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
        self.authority.write_bytes(self._certificate(self._name, self._key, authority=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Make a certificate and its key, signed by the server's CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(self._certificate(subject, key, authority=False))
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, file

    def _certificate(self, subject, key, *, authority):
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        )
        return made.sign(self._key, SHA256()).public_bytes(Encoding.PEM)


class _Handler(BaseHTTPRequestHandler):
    ccp: Ccp

    def do_GET(self):
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        self.ccp.asked.append(query)
        if self.ccp.failures:
            return self._send(*self.ccp.failures.pop(0))
        found = self.ccp.accounts.get(f"{query.get('Safe')}/{query.get('Object')}")
        if url.path != "/AIMWebService/api/Accounts" or query.get("AppID") != "app":
            return self._send(403, {"ErrorCode": "APPAP306E", "ErrorMsg": "not this application"})
        if found is None:
            return self._send(404, {"ErrorCode": "APPAP004E", "ErrorMsg": "no such object"})
        return self._send(200, found)

    def log_message(self, *arguments):
        pass

    def _send(self, status, document):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def ccp(folder: Path) -> Iterator[Ccp]:
    """Run the fake."""
    state = Ccp(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"ccp": state}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*state.issue("server"))
    context.load_verify_locations(state.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    state.url = f"https://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
