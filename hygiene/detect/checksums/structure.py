"""Tokens whose inside is documented or observable: decoded, and checked to be what it must be.

Sources: the providers' documentation and published generators; where a structure was only observed, a failure
gives None, since it proves nothing.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from hygiene.detect.checksums.encodings import base32_bytes, base64_bytes

_CARGO_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_DISCORD_EPOCH_MS = 1_420_070_400_000
_DISCORD_OLD_TOKEN_EPOCH = 1_293_840_000
_OPENAI_MARK = b"T3BlbkFJ"
_GROQ_MARK = b"WGdyb3FY"
_HEROKU_MARK = b"\xff\xff\xff\xff"
_SUPABASE_HOST = re.compile(rb"([a-z]{20})\.supabase\.(?:co|in)\b")
_SUPABASE_SELF_HOSTED = b"supabase-self-hosted"
_SLACK_ROTATING = re.compile(rb"[23](?:-[0-9])?(?:-[0-9A-Za-z]+){2,6}-[0-9a-f]{64}")
_RAPIDAPI = re.compile(rb".{10}msh.{15}p1.{6}jsn.{11}", re.DOTALL)


def check_github_fine_grained(token: bytes) -> bool | None:
    """``github_pat_`` + 22 + ``_`` + 43 + 8 characters of base32 of SHA-256 over all before + 8 free ones."""
    return token[77:85] == github_fine_grained_tail(token[:77])


def github_fine_grained_tail(covered: bytes) -> bytes:
    """The eight characters after the first 77 of a fine-grained token."""
    return b32encode(sha256(covered).digest())[:8]


def check_cargo_publishing(token: bytes) -> bool | None:
    """``cio_tp_`` + 31 + 1: the XOR of the bytes, modulo 62."""
    return token[-1:] == cargo_publishing_tail(token[len(b"cio_tp_") : -1])


def cargo_publishing_tail(body: bytes) -> bytes:
    """The last character after the 31 of ``body``."""
    value = 0
    for byte in body:
        value ^= byte
    place = value % 62
    return _CARGO_ALPHABET[place : place + 1]


def check_supabase(token: bytes, around: bytes = b"") -> bool | None:
    """``sb_secret_`` + 22 + ``_`` + 8; the digest covers the project's name, sought in the text around."""
    covered, tail = token[:-9], token[-8:]
    projects = {*_SUPABASE_HOST.findall(around), _SUPABASE_SELF_HOSTED}
    return True if any(supabase_tail(project, covered) == tail for project in projects) else None


def supabase_tail(project: bytes, covered: bytes) -> bytes:
    """The last eight characters of a key of ``project``."""
    return urlsafe_b64encode(sha256(project + b"|" + covered).digest())[:8]


def check_pypi(token: bytes) -> bool | None:
    """``pypi-`` + a macaroon of version 2, walked packet by packet to its signature."""
    data = base64_bytes(token.removeprefix(b"pypi-"))
    return data is not None and data[:1] == b"\x02" and _is_macaroon(data)


def check_slack_rotating(token: bytes) -> bool | None:
    """``xoxe.xoxb-1-``, ``xoxe.xoxp-1-``, ``xoxe-1-``: base64 of ids and 64 hexadecimal digits."""
    data = base64_bytes(token.partition(b"-1-")[2])
    return data is not None and _SLACK_ROTATING.fullmatch(data) is not None


def check_sentry_organisation(token: bytes) -> bool | None:
    """``sntrys_`` + base64 of JSON with ``iat``, ``url``, ``org`` + ``_`` + 43."""
    return _has_keys(token.split(b"_")[1], "iat", "org")


def check_grafana_cloud(token: bytes) -> bool | None:
    """``glc_`` + base64 of JSON with ``o``, ``n``, ``k``."""
    return _has_keys(token.removeprefix(b"glc_"), "o", "n", "k")


def check_grafana_api_key(token: bytes) -> bool | None:
    """An old API key: base64 of JSON with ``k``, ``n``, ``id``; Power BI links begin alike."""
    return _has_keys(token, "k", "n", "id")


def check_onepassword(token: bytes) -> bool | None:
    """``ops_`` + base64 of JSON that holds a ``secretKey``."""
    return _has_keys(token.removeprefix(b"ops_"), "secretKey")


def check_cloudflare_tunnel(token: bytes) -> bool | None:
    """Base64 of JSON with account, tunnel and secret."""
    return _has_keys(token, "a", "t", "s")


def check_mapbox(token: bytes) -> bool | None:
    """``sk.`` + base64 of JSON that names the user + ``.`` + signature."""
    return _has_keys(token.split(b".")[1], "u", "a")


def check_neptune(token: bytes) -> bool | None:
    """Base64 of JSON with the server's address and a key."""
    return _has_keys(token, "api_address", "api_key")


def check_keeper(token: bytes) -> bool | None:
    """Keeper's configuration: base64 of JSON with a private key."""
    return _has_keys(token, "hostname", "privateKey")


def check_google_service_account(token: bytes) -> bool | None:
    """A service-account file as base64."""
    return _has_keys(token, "private_key", "client_email")


def check_docker_config(token: bytes) -> bool | None:
    """A Docker configuration as base64."""
    return _has_keys(token, "auths")


def check_vault_service(token: bytes) -> bool | None:
    """``hvs.`` + a SignedToken of version 1; short tokens have no structure."""
    body = token.partition(b".")[2]
    if len(body) < 90:
        return None
    data = base64_bytes(body)
    return (
        data is not None and data[:4] == b"\x08\x01\x12\x20" and data[36:37] == b"\x1a" and data[37] == len(data) - 38
    )


def check_vault_batch(token: bytes) -> bool | None:
    """``hvb.`` + a term, big-endian and small, and the barrier's version 1 or 2."""
    data = base64_bytes(token.partition(b".")[2])
    return data is not None and data[:2] == b"\0\0" and data[4] in (1, 2)


def check_bitwarden(token: bytes) -> bool | None:
    """``0.`` + UUID + ``.`` + 30 + ``:`` + base64 of 16 bytes."""
    head, _, key = token.partition(b":")
    data = base64_bytes(key)
    return _is_uuid(head.split(b".")[1]) and data is not None and len(data) == 16


def check_discord(token: bytes) -> bool | None:
    """The first part is an account's id, the second a time after the account was made."""
    parts = token.split(b".")
    name = base64_bytes(parts[0]) or b""
    stamp = base64_bytes(parts[1]) or b""
    if not name.isdigit() or not 17 <= len(name) <= 20 or len(stamp) < 4:
        return False
    made = ((int(name) >> 22) + _DISCORD_EPOCH_MS) / 1000
    return _DISCORD_EPOCH_MS / 1000 < made < time.time() + 86_400


def check_openai(token: bytes) -> bool | None:
    """The mark stands between two halves of the same length; others were seen, so a failure proves nothing."""
    head, mark, tail = token.partition(_OPENAI_MARK)
    first = len(head) - max(head.rfind(b"-", 0, 12) + 1, 0)
    return True if mark and first == len(tail) and len(tail) in (20, 58, 74) else None


def check_anthropic(token: bytes) -> bool | None:
    """API and admin keys: 93 characters and ``AA``; another length was not seen, so it proves nothing."""
    return token.endswith(b"AA") if len(token) in (108, 110) else None


def check_groq(token: bytes) -> bool | None:
    """The mark at offset 24, in one of base64's alignments; only seen, so its absence proves nothing."""
    return True if token[24:32] == _GROQ_MARK else None


def check_heroku(token: bytes) -> bool | None:
    """``HRKU-`` + 60: four bytes of ones inside; only seen, so their absence proves nothing."""
    data = base64_bytes(token[5:])
    return True if data is not None and data[33:37] == _HEROKU_MARK else None


def check_databricks_style_hex(token: bytes) -> bool | None:
    """Hexadecimal digits of which at least eight differ."""
    return None if len(set(token[-32:])) >= 8 else False


def check_artifactory_reference(token: bytes) -> bool | None:
    """``cmVmdGtu…`` decodes to ``reftkn:01:`` + ten digits + ``:`` + 27."""
    data = base64_bytes(token)
    return data is not None and re.fullmatch(rb"reftkn:\d\d:\d{10}:[ -~]{20,40}", data) is not None


def check_atlassian_server(token: bytes) -> bool | None:
    """Bitbucket, Jira and Confluence Data Center: base64 of ``<id>:`` and twenty bytes."""
    data = base64_bytes(token.removeprefix(b"BBDC-"))
    return data is not None and re.fullmatch(rb"\d{8,16}:.{16,24}", data, re.DOTALL) is not None


def check_basic(credentials: bytes) -> bool | None:
    """Basic authentication: base64 of printable ``user:password`` (RFC 7617)."""
    data = base64_bytes(credentials)
    if data is None or not data.isascii():
        return False
    user, colon, password = data.partition(b":")
    return bool(colon) and bool(password) and data.decode().isprintable() and password not in (b"x", b"", user)


def check_telegram(token: bytes) -> bool | None:
    """The part after the colon begins with ``AA`` in practice."""
    return token.partition(b":")[2].startswith(b"AA") or None


def check_aws_session(token: bytes) -> bool | None:
    """Base64 whose first bytes are those of today's tokens."""
    return base64_bytes(token) is not None and (token.startswith((b"IQoJb3JpZ2lu", b"FwoG", b"FQoG")) or None)


def check_bedrock(token: bytes) -> bool | None:
    """``ABSK`` + base64 of ``BedrockAPIKey-…-at-<account>:secret``."""
    data = base64_bytes(token[4:])
    return data is not None and re.match(rb"BedrockAPIKey-[\w-]+-at-\d{12}:", data) is not None


def check_aws_key_id(key: bytes) -> bool | None:
    """Decodes to an account number that fits in twelve digits; keys from before 2019 need not."""
    data = base32_bytes(key[4:])
    return None if data is not None else False


def aws_account(key: bytes) -> str:
    """Give the account number inside of an access key id issued since 2019."""
    data = base32_bytes(key[4:]) or b""
    return f"{(int.from_bytes(data[:6], 'big') & 0x7FFFFFFFFF80) >> 7:012d}"


def check_ses_smtp(password: bytes) -> bool | None:
    """Amazon SES: version byte 4 and 32 bytes."""
    data = base64_bytes(password)
    return data is not None and len(data) == 33 and data[0] == 4


def check_base64_32(key: bytes) -> bool | None:
    """Base64 of 32 bytes, the last character's spare bits zero."""
    return _is_canonical(key, 32)


def check_base64_64(key: bytes) -> bool | None:
    """Base64 of 64 bytes, the last character's spare bits zero."""
    return _is_canonical(key, 64)


def check_uuid(value: bytes) -> bool | None:
    """False for a UUID of version 1, made from a clock, and for one of a few digits: identifiers, not secrets."""
    if not _is_uuid(value) or len(set(value)) < 8:
        return False
    return False if uuid.UUID(value.decode()).version == 1 else None


def check_rapidapi(key: bytes) -> bool | None:
    """The marks that these keys hold at fixed places; only seen, so their absence proves nothing."""
    return True if _RAPIDAPI.fullmatch(key) else None


def check_sas(query: bytes) -> bool | None:
    """A shared-access signature: False once its ``se`` has passed."""
    found = re.search(rb"[?&;]se=(\d{4}-\d\d-\d\d|\d{10})", query)
    if not found:
        return None
    text = found[1].decode()
    expires = float(text) if text.isdigit() else time.mktime(time.strptime(text, "%Y-%m-%d")) + 86_400
    return None if expires > time.time() else False


def _has_keys(text: bytes, *keys: str) -> bool:
    value = _json(text)
    return isinstance(value, dict) and all(key in value for key in keys)


def _json(text: bytes) -> Any:
    data = base64_bytes(text)
    if data is None:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _is_uuid(text: bytes) -> bool:
    try:
        uuid.UUID(text.decode("latin-1"))
    except ValueError:
        return False
    return len(text) == 36


def _is_canonical(key: bytes, size: int) -> bool:
    data = base64_bytes(key)
    if data is None or len(data) != size:
        return False
    return urlsafe_b64encode(data).rstrip(b"=") == key.rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")


def _is_macaroon(data: bytes) -> bool:
    """Walk version-2 packets: header, its end, caveats each with an end, an end, then a signature of 32 bytes."""
    place, ends = 1, 0
    while place < len(data):
        kind = data[place]
        if kind == 0:
            ends, place = ends + 1, place + 1
            continue
        length, place = _varint(data, place + 1)
        place += length
        if kind == 6:
            return ends >= 2 and length == 32 and place == len(data)
    return False


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
    return len(data), place
