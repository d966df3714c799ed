"""Private keys in their containers: right in form, so that they parse, and of no use: their numbers are no primes."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable, Mapping
from random import Random

_RSA = bytes.fromhex("06092a864886f70d010101")
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_ED25519 = bytes.fromhex("06032b6570")


def pem(source: Random, kind: str = "rsa") -> str:
    """A PEM file of ``kind``: rsa, ec, pkcs8, ed25519, openssh, pgp, or one of the encrypted forms."""
    label, headers, data = _KINDS[kind](source)
    lines = textwrap.wrap(base64.b64encode(data).decode(), 64)
    return "\n".join((f"-----BEGIN {label}-----", *headers, *lines, f"-----END {label}-----"))


def pkcs12(source: Random) -> str:
    """Base64 of the beginning of a PKCS#12 file and as many bytes as it says."""
    data = bytes.fromhex("020103308207c006092a864886f70d010701a08207b1") + source.randbytes(1969)
    return base64.b64encode(b"\x30\x82" + len(data).to_bytes(2, "big") + data).decode()


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _integer(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _rsa_body(source: Random) -> bytes:
    p, q = (source.getrandbits(512) | 1 << 511 | 1 for _ in range(2))
    numbers = (0, p * q, 65537, source.getrandbits(1020), p, q, source.getrandbits(510), source.getrandbits(510), 3)
    return _der(0x30, b"".join(map(_integer, numbers)))


Container = tuple[str, tuple[str, ...], bytes]


def _rsa(source: Random) -> Container:
    return "RSA PRIVATE KEY", (), _rsa_body(source)


def _ec(source: Random) -> Container:
    curve = _der(0xA0, bytes.fromhex("06082a8648ce3d030107"))
    return "EC PRIVATE KEY", (), _der(0x30, _integer(1) + _der(4, source.randbytes(32)) + curve)


def _pkcs8(source: Random) -> Container:
    algorithm = _der(0x30, _RSA + b"\x05\0")
    return "PRIVATE KEY", (), _der(0x30, _integer(0) + algorithm + _der(4, _rsa_body(source)))


def _ed25519(source: Random) -> Container:
    key = _der(4, _der(4, source.randbytes(32)))
    return "PRIVATE KEY", (), _der(0x30, _integer(0) + _der(0x30, _ED25519) + key)


def _pkcs8_encrypted(source: Random) -> Container:
    algorithm = _der(0x30, _PBES2 + _der(0x30, source.randbytes(60)))
    return "ENCRYPTED PRIVATE KEY", (), _der(0x30, algorithm + _der(4, source.randbytes(600)))


def _rsa_encrypted(source: Random) -> Container:
    headers = ("Proc-Type: 4,ENCRYPTED", f"DEK-Info: AES-128-CBC,{source.randbytes(16).hex().upper()}", "")
    return "RSA PRIVATE KEY", headers, source.randbytes(608)


def _openssh(source: Random) -> Container:
    return "OPENSSH PRIVATE KEY", (), _openssh_body(source, b"none", b"none", b"")


def _openssh_encrypted(source: Random) -> Container:
    return "OPENSSH PRIVATE KEY", (), _openssh_body(source, b"aes256-ctr", b"bcrypt", source.randbytes(24))


def _openssh_body(source: Random, cipher: bytes, kdf: bytes, options: bytes) -> bytes:
    public = _field(b"ssh-ed25519") + _field(source.randbytes(32))
    check = source.randbytes(4)
    private = check + check + public + _field(source.randbytes(64)) + _field(b"me@host")
    head = b"openssh-key-v1\0" + _field(cipher) + _field(kdf) + _field(options)
    return head + (1).to_bytes(4, "big") + _field(public) + _field(private)


def _field(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _pgp(source: Random) -> Container:
    return "PGP PRIVATE KEY BLOCK", ("",), _pgp_packet(source, 0)


def _pgp_encrypted(source: Random) -> Container:
    return "PGP PRIVATE KEY BLOCK", ("",), _pgp_packet(source, 254)


def _pgp_packet(source: Random, usage: int) -> bytes:
    modulus = (2048).to_bytes(2, "big") + (source.getrandbits(2048) | 1 << 2047).to_bytes(256, "big")
    body = b"\x04" + source.randbytes(4) + b"\x01" + modulus + (17).to_bytes(2, "big") + (65537).to_bytes(3, "big")
    body += bytes((usage,)) + source.randbytes(600)
    return b"\x95" + len(body).to_bytes(2, "big") + body


_KINDS: Mapping[str, Callable[[Random], Container]] = {
    "rsa": _rsa,
    "ec": _ec,
    "pkcs8": _pkcs8,
    "ed25519": _ed25519,
    "openssh": _openssh,
    "pgp": _pgp,
    "rsa-encrypted": _rsa_encrypted,
    "pkcs8-encrypted": _pkcs8_encrypted,
    "openssh-encrypted": _openssh_encrypted,
    "pgp-encrypted": _pgp_encrypted,
}
