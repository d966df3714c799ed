"""A local authority, and a real TLS server that takes what it signed and its revocation list does not name."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hygiene.secret import Secret


class TlsAuthority:
    """Its own key and certificate, and an empty revocation list."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.crl, self.certificate_file = folder, folder / "ca.crl", folder / "ca.pem"
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Shop CA")])
        self.certificate = (
            _builder(name, name, self.key, days=365)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.certificate_file.write_bytes(_pem(self.certificate))
        now = datetime.now(UTC)
        empty = x509.CertificateRevocationListBuilder().issuer_name(name).last_update(now - timedelta(minutes=1))
        self.crl.write_bytes(
            _pem(
                empty.next_update(now + timedelta(days=7))
                .add_extension(x509.CRLNumber(41), critical=False)
                .sign(self.key, hashes.SHA256())
            )
        )

    @property
    def secret(self) -> Secret:
        """The authority as a stored value."""
        return Secret(_private(self.key) + _pem(self.certificate))

    def issue(self, name: str, days: int = 90) -> Secret:
        """Issue a key with a certificate, for clients and servers called ``name``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [x509.DNSName(name), x509.DNSName("localhost")]
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        certificate = (
            _builder(subject, self.certificate.subject, key, days)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Secret(_private(key) + _pem(certificate))

    def openssl_accepts(self, value: bytes) -> bool:
        """Let ``openssl verify`` check a certificate against the authority and its list."""
        file = self.folder / "checked.pem"
        file.write_bytes(value)
        command = ["openssl", "verify", "-crl_check", "-CAfile", str(self.certificate_file), "-CRLfile", str(self.crl)]
        return subprocess.run([*command, str(file)], capture_output=True).returncode == 0


class TlsServer:
    """Answers a byte to clients whose certificate the authority signed and did not revoke."""

    def __init__(self, authority: TlsAuthority) -> None:
        self._authority, own = authority, authority.issue("localhost")
        self._own = authority.folder / "server.pem"
        self._own.write_bytes(own.reveal())
        self.listener = socket.create_server(("127.0.0.1", 0))

    def serve(self) -> None:
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            with suppress(OSError, ssl.SSLError), raw:
                raw.settimeout(10)
                with self._context().wrap_socket(raw, server_side=True) as connection:
                    connection.sendall(b"y")

    def _context(self) -> ssl.SSLContext:
        """Read the list anew, as a server that is told of a new one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._own)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self._authority.certificate_file)
        context.load_verify_locations(self._authority.crl)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        return context

    def handshake(self, value: bytes, folder: Path) -> None:
        """Log in with a key and certificate; raises OSError where the server refuses."""
        file = folder / f"client-{threading.get_ident()}.pem"
        file.write_bytes(value)
        context = ssl.create_default_context(cafile=str(self._authority.certificate_file))
        context.load_cert_chain(file)
        address = self.listener.getsockname()
        with (
            socket.create_connection(address, timeout=10) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as connection,
        ):
            if connection.recv(1) != b"y":
                raise OSError("refused")


@contextmanager
def serving_tls(authority: TlsAuthority) -> Iterator[TlsServer]:
    """Run a server until the block ends."""
    server = TlsServer(authority)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.listener.close()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(False, False, False, False, False, sign, sign, False, False)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(value: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return value.public_bytes(serialization.Encoding.PEM)
