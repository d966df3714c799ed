"""The number systems and base-N texts that checksums are written in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256

BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"
BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE58 = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"


def number_text(number: int, alphabet: bytes, width: int) -> bytes:
    """Write ``number`` with the digits of ``alphabet``, the most significant first, padded to ``width``."""
    digits = bytearray()
    while number:
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    return bytes(reversed(digits)).rjust(width, alphabet[:1])


def base64_bytes(text: bytes) -> bytes | None:
    """Decode standard or URL-safe base64, padded or not; None if it is neither."""
    body = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(body + b"=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def base32_bytes(text: bytes) -> bytes | None:
    """Decode base32 of either case without padding; None if it is none."""
    try:
        return base64.b32decode(text.upper() + b"=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None


def base58_bytes(text: bytes, alphabet: bytes = BASE58) -> bytes | None:
    """Decode base58; None if a character is outside of ``alphabet``."""
    digits: Mapping[int, int] = {character: value for value, character in enumerate(alphabet)}
    number = 0
    for character in text:
        if character not in digits:
            return None
        number = number * 58 + digits[character]
    zeros = len(text) - len(text.lstrip(alphabet[:1]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58_text(data: bytes, alphabet: bytes = BASE58) -> bytes:
    """Write ``data`` in base58."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    return alphabet[:1] * zeros + number_text(int.from_bytes(data, "big"), alphabet, 0)


def base58check_bytes(text: bytes, alphabet: bytes = BASE58) -> bytes | None:
    """Decode base58 and its four bytes of double SHA-256 (Bitcoin's base58check); None if they fail."""
    data = base58_bytes(text, alphabet)
    if data is None or len(data) < 5 or double_sha256(data[:-4])[:4] != data[-4:]:
        return None
    return data[:-4]


def double_sha256(data: bytes) -> bytes:
    """SHA-256 of SHA-256."""
    return sha256(sha256(data).digest()).digest()


def crc16_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, start 0."""
    return binascii.crc_hqx(data, 0)
