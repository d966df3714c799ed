"""Microsoft's keys that carry a signature and a Marvin32 checksum.

Source: microsoft/security-utilities (HIS v1, CASK, Entra client secrets); Marvin32 as published with .NET.
"""

from __future__ import annotations

import base64
import re
import struct

from hygiene.detect.checksums.encodings import BASE62, base64_bytes, number_text

_MASK = 0xFFFFFFFF
_HIS_SEEDS: dict[bytes, tuple[bytes, ...]] = {
    b"+ASt": (b"Default0",),
    b"ACDb": (b"MastRO00", b"MastRW00", b"SystRO00", b"SystRW00", b"SysAll00", b"Resour00", b"Encryp00"),
    b"+ABa": (b"AbAcct00",),
    b"+AMC": (b"Classic0",),
    b"APIM": (b"Tenant00", b"IoTHub00", b"Gatewy00", b"GitKey00"),
    b"+ASb": (b"Send0000", b"Manage00", b"Listen00", b"System00", b"Unknown0"),
    b"+AEh": (b"Send0000", b"Manage00", b"Listen00", b"System00", b"Unknown0"),
    b"+ARm": (b"Send0000", b"Manage00", b"Listen00", b"System00", b"Unknown0"),
    b"AIoT": (b"IoTHub00", b"DpsKey00", b"Device00"),
    b"AzCa": (b"Access00",),
    b"AZEG": (b"SendRecv",),
    b"+ACR": (b"ACRDflt0",),
    b"AzSe": (b"PAdmin00", b"Query000"),
    b"AzFu": (b"Functi00", b"System00", b"Master00"),
    b"+SQL": (b"UsrPwd00",),
}
_SIGNATURE_FROM_END = 10  # a signature of four characters before the last six
_CASK_SEED = b"Default0"
_ENTRA_SEED = b"AadPwd00"
_ENTRA_ALPHABET = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~"
_ENTRA = re.compile(rb".{3}(\d)Q~")


def marvin32(data: bytes, seed: bytes) -> int:
    """Marvin32 of ``data``, folded to 32 bits; ``seed`` is eight bytes, read as a big-endian number."""
    state = int.from_bytes(seed, "big")
    low, high = state & _MASK, state >> 32
    padded = data + b"\x80" + bytes(-(len(data) + 1) % 4)
    for (word,) in struct.iter_unpack("<I", padded):
        low, high = _block((low + word) & _MASK, high)
    low, high = _block(low, high)
    return low ^ high


def his_key_tail(covered: bytes, signature: bytes) -> bytes:
    """The last four bytes of an identifiable key whose other bytes are ``covered``."""
    return struct.pack("<I", marvin32(covered, _HIS_SEEDS[signature][0]))


def cask_tail(covered: bytes) -> bytes:
    """The last four characters of an 84-character key whose first 80 are ``covered``."""
    return _cask_texts(covered)[0][:4]


def entra_tail(covered: bytes) -> bytes:
    """The last three characters of a client secret of version 8."""
    return number_text(marvin32(covered, _ENTRA_SEED), _ENTRA_ALPHABET, 6)[:3]


def check_his(key: bytes) -> bool | None:
    """An identifiable key (storage, Cosmos DB, Service Bus …); None for one without a signature: an older one."""
    body = key.rstrip(b"=")
    signature = body[-_SIGNATURE_FROM_END:-6]
    if signature not in _HIS_SEEDS:
        return None
    data = base64_bytes(key)
    if data is None:
        return False
    tail = struct.unpack("<I", data[-4:])[0]
    return any(marvin32(data[:-4], seed) == tail for seed in _HIS_SEEDS[signature])


def check_cask(key: bytes) -> bool | None:
    """A common annotated security key (``JQQJ99`` at 52), 84 characters or 88 with padding."""
    body = key.rstrip(b"=")
    texts = _cask_texts(body[:80])
    return any(text.startswith(body[80:]) for text in texts) if len(body) >= 84 else False


def check_entra(secret: bytes) -> bool | None:
    """A client secret of Entra ID: version 8 has a checksum, version 7 has none."""
    found = _ENTRA.match(secret)
    if not found or found[1] != b"8" or len(secret) != 40:
        return None
    return secret[-3:] == entra_tail(secret[:-3])


def _cask_texts(covered: bytes) -> list[bytes]:
    data = base64_bytes(covered)
    if data is None:
        return []
    tail = struct.pack("<I", marvin32(data, _CASK_SEED))
    digits = number_text(int.from_bytes(tail, "big"), BASE62, 0).ljust(6, b"0")
    again = base64.b64encode(base64.b64decode(digits + b"==")).rstrip(b"=")
    return [again, base64.b64encode(tail).rstrip(b"=")]


def _block(low: int, high: int) -> tuple[int, int]:
    high ^= low
    low = (_rotated(low, 20) + high) & _MASK
    high = _rotated(high, 9) ^ low
    low = (_rotated(low, 27) + high) & _MASK
    return low, _rotated(high, 19)


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _MASK
