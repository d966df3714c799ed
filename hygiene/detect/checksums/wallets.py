"""Keys with the checksums of their own standards: wallets, nkeys, age, Nostr, WireGuard.

Sources: Bitcoin's base58check and BIP32; BIP173 (bech32) as age uses it; SEP-23 (Stellar); the nkeys of NATS;
the XRP ledger's and Tezos' base58 encodings; RFC 7748 (clamping).
"""

from __future__ import annotations

from collections.abc import Sequence

from hygiene.detect.checksums.encodings import (
    RIPPLE58,
    base32_bytes,
    base58_bytes,
    base58check_bytes,
    base64_bytes,
    crc16_xmodem,
)

_BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANT = 1
_WIF_VERSIONS = (0x80, 0xEF)
_PRIVATE_BIP32 = tuple(bytes.fromhex(text) for text in ("0488ade4", "04358394", "049d7878", "04b2430c"))
_STELLAR_SEED = 0x90
_NKEY_SEED = 0x90  # the five high bits of the first byte: "S"
_RIPPLE_VERSIONS = (b"\x21", b"\x01\xe1\x4b")
_TEZOS_VERSIONS = (bytes.fromhex("0d0f3a07"), bytes.fromhex("2bf64e07"), bytes.fromhex("075a3cb329"))
_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def check_wif(key: bytes) -> bool | None:
    """A Bitcoin private key in wallet import format."""
    data = base58check_bytes(key)
    return data is not None and data[0] in _WIF_VERSIONS and (len(data) == 33 or (len(data) == 34 and data[33] == 1))


def check_bip32(key: bytes) -> bool | None:
    """An extended private key: ``xprv``, ``tprv``, ``yprv``, ``zprv``."""
    data = base58check_bytes(key)
    return data is not None and len(data) == 78 and data[:4] in _PRIVATE_BIP32 and data[45] == 0


def check_ripple(seed: bytes) -> bool | None:
    """An XRP ledger seed: sixteen bytes of entropy after the version."""
    data = base58check_bytes(seed, RIPPLE58)
    return data is not None and any(data.startswith(v) and len(data) == len(v) + 16 for v in _RIPPLE_VERSIONS)


def check_tezos(key: bytes) -> bool | None:
    """A Tezos ``edsk`` or ``edesk`` key."""
    data = base58check_bytes(key)
    return data is not None and data.startswith(_TEZOS_VERSIONS)


def check_solana(key: bytes) -> bool | None:
    """A Solana key pair in base58: 64 bytes; only another length says something."""
    data = base58_bytes(key)
    return None if data is not None and len(data) == 64 else False


def check_ethereum(key: bytes) -> bool | None:
    """A number below the order of secp256k1; true of nearly all digests too, so a pass says nothing."""
    return None if 1 <= int(key.removeprefix(b"0x"), 16) < _SECP256K1_ORDER else False


def check_stellar(seed: bytes) -> bool | None:
    """A Stellar secret seed: version byte and CRC-16."""
    data = base32_bytes(seed)
    return data is not None and len(data) == 35 and data[0] == _STELLAR_SEED and _crc16_holds(data)


def check_nkey(seed: bytes) -> bool | None:
    """A NATS nkey seed: two prefix bytes, 32 bytes, CRC-16."""
    data = base32_bytes(seed)
    return data is not None and len(data) == 36 and data[0] & 0xF8 == _NKEY_SEED and _crc16_holds(data)


def check_age(identity: bytes) -> bool | None:
    """An age identity (also post-quantum and of plugins): bech32 in capitals."""
    return bech32_holds(identity.lower())


def check_nostr(key: bytes) -> bool | None:
    """A Nostr ``nsec1`` key."""
    return bech32_holds(key)


def check_wireguard(key: bytes) -> bool | None:
    """A clamped Curve25519 private key of 32 bytes; one in 32 other texts passes by chance."""
    data = base64_bytes(key)
    return data is not None and len(data) == 32 and data[0] & 7 == 0 and data[31] & 0xC0 == 0x40


def bech32_holds(text: bytes) -> bool:
    """Say whether ``text`` (lower case) is bech32 with its constant 1."""
    prefix, one, data = text.rpartition(b"1")
    if not one or not data or any(character not in _BECH32 for character in data):
        return False
    return _bech32_polymod(_bech32_expanded(prefix) + [_BECH32.index(c) for c in data]) == _BECH32_CONSTANT


def bech32_tail(prefix: bytes, data: bytes) -> bytes:
    """The six checksum characters for ``data`` (bech32 characters) under ``prefix``."""
    values = _bech32_expanded(prefix) + [_BECH32.index(c) for c in data] + [0] * 6
    rest = _bech32_polymod(values) ^ _BECH32_CONSTANT
    return bytes(_BECH32[(rest >> 5 * (5 - place)) & 31] for place in range(6))


def _bech32_expanded(prefix: bytes) -> list[int]:
    return [c >> 5 for c in prefix] + [0] + [c & 31 for c in prefix]


def _bech32_polymod(values: Sequence[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check


def _crc16_holds(data: bytes) -> bool:
    return crc16_xmodem(data[:-2]) == int.from_bytes(data[-2:], "little")
