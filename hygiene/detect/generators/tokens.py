"""Structured tokens: each function draws from ``source`` and gives the text of one token."""

from __future__ import annotations

import base64
import json
import string
import uuid
from collections.abc import Callable, Mapping
from hashlib import sha256
from random import Random
from typing import Any

from hygiene.detect.checksums import azure, wallets
from hygiene.detect.checksums.encodings import (
    BASE36,
    BASE58,
    RIPPLE58,
    base58_text,
    base64_bytes,
    crc16_xmodem,
    double_sha256,
    number_text,
)

Generator = Callable[..., str]

_B62 = string.ascii_letters + string.digits
_FAR = 4_102_444_800  # 2100-01-01: tokens that have not expired
_PAST = 1_500_000_000
_DISCORD_EPOCH_MS = 1_420_070_400_000


def jwt(source: Random, *claims: str) -> str:
    """A JWT with the ``name=value`` claims given; ``expired`` makes it old, ``alg=…`` sets the algorithm."""
    body: dict[str, Any] = {"iat": _PAST, "exp": _FAR, "jti": _text(source, _B62, 16)}
    header = {"alg": "RS256", "typ": "JWT", "kid": _text(source, _B62, 20)}
    for claim in claims:
        name, _, value = claim.replace("~", ":").partition("=")  # a colon would end the argument
        if name == "expired":
            body["exp"] = _PAST + 60
        elif name == "alg":
            header["alg"] = value
        else:
            body[name] = value
    signature = source.randbytes(32 if header["alg"].startswith("HS") else 256)
    return ".".join((_json64(header), _json64(body), _url64(signature)))


def json_base64(source: Random, *pairs: str) -> str:
    """Base64 of a JSON object of ``name=value`` pairs; an empty value is drawn."""
    return base64.b64encode(_json_object(source, pairs)).decode()


def json_base64url(source: Random, *pairs: str) -> str:
    """The same, URL-safe and without padding."""
    return _url64(_json_object(source, pairs))


# What the macaroon names as its location: the host of each registry, as it stands in the tokens themselves.
_PYPI_LOCATIONS = {"main": "cHlwaS5vcmc=", "test": "dGVzdC5weXBpLm9yZw=="}


def pypi(source: Random, registry: str = "main") -> str:
    """A PyPI token, of the main or the test registry: a macaroon of version 2 with one caveat."""
    name = str(uuid.UUID(bytes=source.randbytes(16), version=4)).encode()
    place = base64.b64decode(_PYPI_LOCATIONS[registry])
    data = b"\x02\x01" + bytes((len(place),)) + place + b"\x02" + bytes((len(name),)) + name + b"\0"
    caveat = b'[0,"' + str(source.randrange(10**9)).encode() + b'"]'
    data += b"\x02" + bytes((len(caveat),)) + caveat + b"\0\0\x06\x20" + source.randbytes(32)
    return "pypi-" + _url64(data)


def gitlab_payload(source: Random) -> str:
    """The routable part of a GitLab token: payload, version and length."""
    routing = f"c:1\no:{source.randrange(1, 99)}\nu:{number_text(source.randrange(10**8), BASE36, 1).decode()}".encode()
    payload = _url64(source.randbytes(16) + routing + bytes((len(routing),)))
    return f"{payload}.01.{number_text(len(payload), BASE36, 2).decode()}"


def azure_his(source: Random, signature: str, size: str) -> str:
    """An identifiable Azure key of ``size`` bytes with its ``signature`` before the last six characters."""
    length = int(size)
    digits = len(base64.b64encode(bytes(length)).rstrip(b"="))
    body = _text(source, _B62, digits - 10) + signature + "A" * 6
    covered = (base64_bytes(body.encode()) or b"")[: length - 4]
    key = covered + azure.his_key_tail(covered, signature.encode())
    text = base64.b64encode(key).decode()
    return text.replace("+", "-").replace("/", "_") if signature == "AzFu" else text


def azure_cask(source: Random, signature: str) -> str:
    """A common annotated security key of 84 characters."""
    covered = f"{_text(source, _B62, 52)}JQQJ99BAAC{_text(source, _B62, 11)}AAA{signature}".encode()
    return (covered + azure.cask_tail(covered)).decode()


def entra(source: Random) -> str:
    """A client secret of Entra ID, version 8."""
    covered = f"{_text(source, _B62, 3)}8Q~{_text(source, _B62 + '._~-', 31)}".encode()
    return (covered + azure.entra_tail(covered)).decode()


def slack_rotating(source: Random, prefix: str) -> str:
    """``xoxe.xoxb-1-``, ``xoxe.xoxp-1-`` or ``xoxe-1-`` and its base64 of ids and digits."""
    ids = "-".join(str(source.randrange(10**11, 10**12)) for _ in range(3))
    head = "3-1" if prefix == "xoxe-1-" else "2-2"
    return prefix + base64.b64encode(f"{head}-{ids}-{source.randbytes(32).hex()}".encode()).decode()


def discord(source: Random) -> str:
    """A bot token: account, time, signature."""
    made = source.randrange(1_500_000_000_000, 1_750_000_000_000)
    account = str((made - _DISCORD_EPOCH_MS) << 22 | source.randrange(1 << 22)).encode()
    stamp = (made // 1000 + 86_400).to_bytes(4, "big")
    return f"{_url64(account)}.{_url64(stamp)}.{_url64(source.randbytes(28))}"


def vault_service(source: Random) -> str:
    """``hvs.`` and a SignedToken."""
    inner = b"\x0a\x1c" + _text(source, _B62, 28).encode() + b"\x10\x05"
    return "hvs." + _url64(b"\x08\x01\x12\x20" + source.randbytes(32) + b"\x1a" + bytes((len(inner),)) + inner)


def vault_batch(source: Random) -> str:
    """``hvb.`` and a ciphertext of the barrier."""
    return "hvb." + _url64(b"\0\0\0\x01\x02" + source.randbytes(110))


def heroku(source: Random) -> str:
    """``HRKU-AA`` with the mark."""
    return "HRKU-" + _url64(b"\0" + source.randbytes(32) + b"\xff" * 4 + source.randbytes(8))


def sentry_organisation(source: Random) -> str:
    """``sntrys_`` + JSON + secret."""
    pairs = {"iat": 1.7e9, "url": "https://sentry.io", "region_url": "https://us.sentry.io", "org": "shop"}
    secret = base64.b64encode(source.randbytes(32)).decode().rstrip("=")
    return f"sntrys_{base64.b64encode(json.dumps(pairs).encode()).decode()}_{secret}"


def artifactory_reference(source: Random) -> str:
    """Base64 of ``reftkn:…``."""
    return base64.b64encode(f"reftkn:01:0000000000:{_text(source, _B62, 27)}".encode()).decode()


def atlassian_server(source: Random) -> str:
    """Base64 of an id and twenty bytes."""
    return base64.b64encode(f"{source.randrange(10**11, 10**12)}:".encode() + source.randbytes(20)).decode()


def basic(source: Random) -> str:
    """Base64 of a user and a password."""
    return base64.b64encode(f"deploy:{_text(source, _B62 + '!$-', 18)}".encode()).decode()


def ses_smtp(source: Random) -> str:
    """Version byte and 32 bytes."""
    return base64.b64encode(b"\x04" + source.randbytes(32)).decode()


def bedrock(source: Random) -> str:
    """``ABSK`` + a name with an account, and a secret."""
    label = _text(source, string.ascii_lowercase + string.digits, 4)
    name = f"BedrockAPIKey-{label}-at-{source.randrange(10**11, 10**12)}"
    return "ABSK" + base64.b64encode(f"{name}:{_text(source, _B62, 61)}".encode()).decode()


def base64_of(source: Random, size: str) -> str:
    """Base64 of so many bytes."""
    return base64.b64encode(source.randbytes(int(size))).decode()


def base64url_of(source: Random, size: str) -> str:
    """URL-safe base64 of so many bytes, without padding."""
    return _url64(source.randbytes(int(size)))


def wif(source: Random, kind: str = "compressed") -> str:
    """A Bitcoin key."""
    tail = b"\x01" if kind == "compressed" else b""
    return _base58check(b"\x80" + source.randbytes(32) + tail)


def bip32(source: Random) -> str:
    """An extended private key."""
    return _base58check(bytes.fromhex("0488ade4") + source.randbytes(41) + b"\0" + source.randbytes(32))


def ripple(source: Random) -> str:
    """An XRP ledger seed."""
    return _base58check(b"\x21" + source.randbytes(16), RIPPLE58)


def tezos(source: Random) -> str:
    """An ``edsk`` seed."""
    return _base58check(bytes.fromhex("0d0f3a07") + source.randbytes(32))


def solana(source: Random) -> str:
    """64 bytes in base58."""
    return base58_text(b"\xc1" + source.randbytes(63), BASE58).decode()


def stellar(source: Random) -> str:
    """A secret seed."""
    return _crc16_base32(b"\x90" + source.randbytes(32))


def nkey(source: Random) -> str:
    """The seed of a NATS user."""
    return _crc16_base32(bytes((0x90 | 20 >> 2, (20 & 3) << 6)) + source.randbytes(32))


def age(source: Random) -> str:
    """An age identity."""
    return _bech32(source, b"age-secret-key-", 52).upper()


def nostr(source: Random) -> str:
    """An ``nsec1`` key."""
    return _bech32(source, b"nsec", 52)


def wireguard(source: Random) -> str:
    """A clamped private key."""
    key = bytearray(source.randbytes(32))
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return base64.b64encode(key).decode()


def random_uuid(source: Random) -> str:
    """A UUID of version 4."""
    return str(uuid.UUID(bytes=source.randbytes(16), version=4))


GENERATORS: Mapping[str, Generator] = {
    "age": age,
    "artifactory-reference": artifactory_reference,
    "atlassian-server": atlassian_server,
    "azure-cask": azure_cask,
    "azure-his": azure_his,
    "base64-of": base64_of,
    "base64url-of": base64url_of,
    "basic": basic,
    "bedrock": bedrock,
    "bip32": bip32,
    "discord": discord,
    "entra": entra,
    "gitlab-payload": gitlab_payload,
    "heroku": heroku,
    "json64": json_base64,
    "json64url": json_base64url,
    "jwt": jwt,
    "nkey": nkey,
    "nostr": nostr,
    "pypi": pypi,
    "ripple": ripple,
    "sentry-org": sentry_organisation,
    "ses-smtp": ses_smtp,
    "slack-rotating": slack_rotating,
    "solana": solana,
    "stellar": stellar,
    "tezos": tezos,
    "uuid": random_uuid,
    "vault-batch": vault_batch,
    "vault-service": vault_service,
    "wif": wif,
    "wireguard": wireguard,
}


def _text(source: Random, alphabet: str, length: int) -> str:
    return "".join(source.choices(alphabet, k=length))


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _json64(value: Mapping[str, Any]) -> str:
    return _url64(json.dumps(value, separators=(",", ":")).encode())


def _json_object(source: Random, pairs: tuple[str, ...]) -> bytes:
    values = {}
    for pair in pairs:
        name, _, value = pair.replace("~", ":").partition("=")
        values[name] = value or _text(source, _B62, 32)
    return json.dumps(values, separators=(",", ":")).encode()


def _base58check(data: bytes, alphabet: bytes = BASE58) -> str:
    return base58_text(data + double_sha256(data)[:4], alphabet).decode()


def _crc16_base32(data: bytes) -> str:
    return base64.b32encode(data + crc16_xmodem(data).to_bytes(2, "little")).decode().rstrip("=")


def _bech32(source: Random, prefix: bytes, length: int) -> str:
    data = bytes(source.choices(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l", k=length))
    return (prefix + b"1" + data + wallets.bech32_tail(prefix, data)).decode()


def digest_of(text: str) -> str:
    """SHA-256 in hexadecimal: the digests that negative examples hold."""
    return sha256(text.encode()).hexdigest()
