"""Tokens that end in a CRC-32 (IEEE 802.3, as in ``zlib``), each with its own covered bytes and encoding.

Layouts: the providers' documentation and published generators; the functions named ``…_tail`` compute what a
body must end in, so that the generators of test tokens share them.
"""

from __future__ import annotations

import base64
import binascii
from zlib import crc32

from hygiene.detect.checksums.encodings import BASE36, BASE62, base32_bytes, base64_bytes, number_text

_ADO_MAGICS = (0xE0B9692D, 0x1019F92E)  # user and app tokens
_ADO_COVERED = (*range(2), *range(3, 7), *range(9, 22), *range(23, 32))


def crc62_tail(covered: bytes) -> bytes:
    """Six base-62 digits, as GitHub's token format has them."""
    return number_text(crc32(covered), BASE62, 6)


def hex_tail(covered: bytes) -> bytes:
    """Eight lower-case hexadecimal digits, the most significant first."""
    return b"%08x" % crc32(covered)


def hex_little_tail(covered: bytes) -> bytes:
    """The four bytes from the least significant on, in hexadecimal."""
    return binascii.hexlify(crc32(covered).to_bytes(4, "little"))


def base36_tail(covered: bytes) -> bytes:
    """Seven lower-case base-36 digits."""
    return number_text(crc32(covered), BASE36, 7)


def base64_little_tail(covered: bytes) -> bytes:
    """The four bytes from the least significant on, in base64 without padding."""
    return base64.b64encode(crc32(covered).to_bytes(4, "little"))[:6]


def check_github(token: bytes) -> bool | None:
    """``ghp_``, ``gho_``, ``ghu_``, ``ghr_`` and opaque ``ghs_``: the CRC covers the body without its prefix."""
    return _check_crc62(token, 4)


def check_npm(token: bytes) -> bool | None:
    """``npm_`` + 30 + 6."""
    return _check_crc62(token, 4)


def check_vercel(token: bytes) -> bool | None:
    """``vcp_`` and its sisters + 50 + 6."""
    return _check_crc62(token, 4)


def check_netbird(token: bytes) -> bool | None:
    """``nbp_`` + 30 + 6."""
    return _check_crc62(token, 4)


def check_polar(token: bytes) -> bool | None:
    """``polar_…_`` + 37 + 6."""
    return _check_crc62(token, token.rfind(b"_", 0, 12) + 1)


def check_reviewboard(token: bytes) -> bool | None:
    """``rbp_`` + body + 6; version 5.0 swapped the case of the checksum."""
    expected = crc62_tail(token[4:-6])
    return token[-6:] in (expected, expected.swapcase())


def check_matrix(token: bytes) -> bool | None:
    """``syt_…_…_`` + 6: Synapse covers all before the last underscore."""
    covered, _, tail = token.rpartition(b"_")
    return tail == crc62_tail(covered)


def check_datadog(token: bytes) -> bool | None:
    """``ddpat_`` …: GitHub's convention is documented, the covered bytes are not; only a pass says something."""
    prefix, _, rest = token.partition(b"_")
    covered = (rest[:-6], rest.rpartition(b"_")[2][:-6], prefix + b"_" + rest[:-6])
    return True if token[-6:] in map(crc62_tail, covered) else None


def check_cloudflare(token: bytes) -> bool | None:
    """``cfut_``, ``cfat_``, ``cfk_`` + 40 + 8 hex: the body without its prefix."""
    body = token.partition(b"_")[2]
    return body[-8:] == hex_tail(body[:-8])


def check_zuplo(token: bytes) -> bool | None:
    """``zpka_`` + 32 + ``_`` + 8 hex."""
    _, body, tail = token.split(b"_", 2)
    return tail == hex_tail(body)


def check_sanctum(token: bytes) -> bool | None:
    """Laravel Sanctum ``id|`` + 40 + 8 hex; versions before 3.3 end after the 40."""
    body = token.partition(b"|")[2]
    return None if len(body) <= 40 else body[-8:] == hex_tail(body[-48:-8])


def check_grafana(token: bytes) -> bool | None:
    """``glsa_`` + 32 + ``_`` + 8 hex: prefix included, bytes from the least significant on."""
    covered, _, tail = token.rpartition(b"_")
    return tail == hex_little_tail(covered)


def check_atlassian(token: bytes) -> bool | None:
    """``ATATT3…=`` + 8 HEX, also ``ATCTT3``: all before the digits, the ``=`` included."""
    return token[-8:] == hex_tail(token[:-8]).upper()


def check_bitbucket(token: bytes) -> bool | None:
    """``ATBB`` + 24 + 8 HEX: prefix included."""
    return token[-8:] == hex_tail(token[:-8]).upper()


def check_confluent(token: bytes) -> bool | None:
    """``cflt`` + 54 + 6: the body without its prefix."""
    return token[-6:] == base64_little_tail(token[4:-6])


def check_gitlab(token: bytes) -> bool | None:
    """A routable token: base-36 CRC over all before it, and a payload as long as it says; None for older forms."""
    head, dot, tail = token.rpartition(b".")
    if not dot or len(tail) != 9:
        return None
    if tail[2:] != base36_tail(head + b"." + tail[:2]):
        return False
    payload = head.removesuffix(b".01")[-int(tail[:2], 36) :]
    data = base64_bytes(payload)
    return data is not None and len(data) > 17 and data[-1] == len(data) - 17


def check_azure_devops(token: bytes) -> bool | None:
    """The 52-character token: base32 of 32 bytes with a masked CRC in four of them."""
    data = base32_bytes(token + b"aaaa"[: -len(token) % 8])
    if data is None or len(data) < 32:
        return False
    stored = int.from_bytes(bytes((data[22], data[8], data[7], data[2])), "little")
    # The rule is known from a published scanner alone, so a failure proves nothing.
    return True if stored ^ crc32(bytes(data[place] for place in _ADO_COVERED)) in _ADO_MAGICS else None


def _check_crc62(token: bytes, prefix: int) -> bool:
    return token[-6:] == crc62_tail(token[prefix:-6])
