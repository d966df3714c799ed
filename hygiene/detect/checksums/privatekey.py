"""Private keys in their containers: does the body parse, and is the key clear or encrypted?

Sources: RFC 7468 (PEM), RFC 8017 (PKCS#1), RFC 5915 (SEC1), RFC 5958 (PKCS#8), OpenSSH's PROTOCOL.key,
RFC 9580 (OpenPGP). Only as much of each as the question needs; no library, since hooks load none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hygiene.detect.checksums.encodings import base64_bytes

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]*?)PRIVATE KEY(?: BLOCK)?-----(.*?)-----END", re.DOTALL)
_ESCAPES = re.compile(rb"\\+[nrt]|[\"'`]\s*[+.]?|[,\\]|&#1[03];")
_HEADER = re.compile(rb"^[ \t]*[A-Za-z-]+: [^\n]*$", re.MULTILINE)
_ARMOR_CHECKSUM = re.compile(rb"=[A-Za-z0-9+/]{4}\s*$")
_OPENSSH = b"openssh-key-v1\0"
_PBES = (bytes.fromhex("2a864886f70d01050d"), bytes.fromhex("2a864886f70d010c01"), bytes.fromhex("2a864886f70d0105"))
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_PGP_SECRET, _PGP_SECRET_SUBKEY = 5, 7
_PGP_MPIS = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4}  # public numbers of RSA, Elgamal and DSA keys


class Element(NamedTuple):
    """One DER element."""

    tag: int
    content: bytes


def check_clear_key(block: bytes) -> bool | None:
    """True for a key that opens without a password, False for an encrypted or broken one, None for an odd kind."""
    state = key_state(block)
    return None if state == "unknown" else state == "clear"


def check_encrypted_key(block: bytes) -> bool | None:
    """True for a key that needs a password."""
    return key_state(block) == "encrypted"


def check_encoded_key(text: bytes) -> bool | None:
    """The same as :func:`check_clear_key`, for a PEM file that stands as base64."""
    data = base64_bytes(re.sub(rb"\s|\\n", b"", text))
    return check_clear_key(data) if data is not None else False


def check_pkcs12(text: bytes) -> bool | None:
    """Base64 of a PKCS#12 file: a sequence of version 3."""
    data = base64_bytes(text)
    return data is not None and data[:2] == b"\x30\x82" and b"\x02\x01\x03\x30" in data[:8]


def key_state(block: bytes) -> str:
    """Say clear, encrypted, broken or unknown of the PEM ``block``, in whatever quoting it stands."""
    found = _BLOCK.search(block)
    if found is None:
        return "broken"
    label, text = found[1].strip(), _ESCAPES.sub(b"\n", found[2])
    if label.startswith(b"ENCRYPTED") or b"ENCRYPTED" in text:
        return "encrypted"
    body = re.sub(rb"\s", b"", _HEADER.sub(b"", text))
    if label == b"PGP":
        return _pgp_state(text)
    data = base64_bytes(body)
    if data is None:
        return "broken"
    return _openssh_state(data) if data.startswith(_OPENSSH) else _der_state(data)


def _openssh_state(data: bytes) -> str:
    place = len(_OPENSSH)
    length = int.from_bytes(data[place : place + 4], "big")
    cipher = data[place + 4 : place + 4 + length]
    if cipher != b"none":
        return "encrypted" if 3 < length < 64 else "broken"
    checks = re.search(rb"\0\0\0\x01\0\0..", data, re.DOTALL)
    return "clear" if checks and len(data) > 150 else "broken"


def _der_state(data: bytes) -> str:
    outer = next(_elements(data), None)
    if outer is None or outer.tag != _SEQUENCE:
        return "broken"
    parts = list(_elements(outer.content))
    if len(parts) >= 2 and parts[0].tag == _SEQUENCE and parts[1].tag == _OCTETS:
        return "encrypted" if any(oid in parts[0].content for oid in _PBES) else "broken"
    if len(parts) < 2 or parts[0].tag != _INTEGER:
        return "broken"
    return _clear_der_state(parts)


def _clear_der_state(parts: list[Element]) -> str:
    if parts[1].tag == _SEQUENCE:  # PKCS#8: version, algorithm, key
        return "clear" if len(parts) >= 3 and parts[2].tag == _OCTETS and parts[2].content else "broken"
    if parts[1].tag == _OCTETS:  # SEC1: version, key, curve
        return "clear" if len(parts[1].content) >= 20 else "broken"
    numbers = [int.from_bytes(part.content, "big") for part in parts if part.tag == _INTEGER]
    if len(numbers) == 6:  # DSA: version, p, q, g, y, x
        return "clear"
    return "clear" if len(numbers) >= 9 and numbers[4] * numbers[5] == numbers[1] else "broken"


def _elements(data: bytes) -> Iterator[Element]:
    """Read DER elements one after the other; stops at the first that is cut off."""
    place = 0
    while place + 2 <= len(data):
        tag, length, place = data[place], data[place + 1], place + 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[place : place + size], "big")
            place += size
        if length > len(data) - place:
            return
        yield Element(tag, data[place : place + length])
        place += length


def _pgp_state(text: bytes) -> str:
    body = _ARMOR_CHECKSUM.sub(b"", _HEADER.sub(b"", text).strip())
    data = base64_bytes(re.sub(rb"\s", b"", body))
    if data is None or len(data) < 20:
        return "broken"
    tag, packet = _pgp_packet(data)
    if tag not in (_PGP_SECRET, _PGP_SECRET_SUBKEY):
        return "broken"
    if len(packet) < 10 or packet[0] != 4 or packet[5] not in _PGP_MPIS:
        return "unknown"
    place = 6
    for _ in range(_PGP_MPIS[packet[5]]):
        place += 2 + (int.from_bytes(packet[place : place + 2], "big") + 7) // 8
    if place >= len(packet):
        return "broken"
    return "clear" if packet[place] == 0 else "encrypted"


def _pgp_packet(data: bytes) -> tuple[int, bytes]:
    first = data[0]
    if first & 0x40:
        length = data[1]
        if length < 192:
            return first & 0x3F, data[2 : 2 + length]
        return first & 0x3F, data[3 : 3 + ((length - 192) << 8) + data[2] + 192]
    size = 1 << (first & 3)
    return first >> 2 & 0x0F, data[1 + size :][: int.from_bytes(data[1 : 1 + size], "big")]
