"""A clock that is wrong: certificates are not valid yet, or no more. Each store refuses, and says what it may be."""

import socket
import ssl
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hygiene.config import Config
from hygiene.errors import StoreError
from hygiene.secret import Secret
from hygiene.store.registry import open_store

DAY = timedelta(days=1)


def certificate(folder, since, until):
    """Make a certificate that signs itself, valid between two moments."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    ).sign(key, SHA256())
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem"


@pytest.fixture(params=[(-3, -2), (2, 3)], ids=["no more valid", "not valid yet"])
def server(request, tmp_path):
    """A server over TLS that counts the requests which get through to it, and its certificate."""
    now = datetime.now(UTC)
    trusted = certificate(tmp_path, *(now + days * DAY for days in request.param))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, tmp_path / "key.pem")
    listener, asked = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as safe:
                    asked.append(safe.recv(100))

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}", str(trusted), asked
    listener.close()


@pytest.mark.parametrize(
    ("uri", "variables"),
    [
        (
            "awssecrets://eu-central-1",
            {"AWS_ENDPOINT_URL": "{url}", "AWS_CA_BUNDLE": "{file}", "AWS_ACCESS_KEY_ID": "x"},
        ),
        ("vault://secret/shop", {"VAULT_ADDR": "{url}", "VAULT_CACERT": "{file}", "VAULT_TOKEN": "x"}),
        ("conjur://myorg/app", {"CONJUR_APPLIANCE_URL": "{url}", "CONJUR_CERT_FILE": "{file}"}),
        ("ccp://app/Safe", {"CCP_URL": "{url}", "CCP_CACERT": "{file}"}),
    ],
)
def test_certificate_out_of_its_time_is_refused_before_anything_is_sent(server, uri, variables, monkeypatch):
    url, file, asked = server
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(url=url, file=file))
    for name in ("CONJUR_AUTHN_LOGIN", "CONJUR_AUTHN_API_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    store = open_store(uri, Config())
    for act in (lambda: store.get("a"), lambda: store.put("a", Secret(b"p4ssw0rd"), token=str(uuid.uuid4()))):
        with pytest.raises(StoreError) as caught:
            act()
        if not store.capabilities.writable and "only be read" in caught.value.message:
            continue
        assert "not trusted" in caught.value.message
        assert "clock" in caught.value.hint
        assert "not known" not in caught.value.message  # nothing was sent, so this much is
    assert asked == []
