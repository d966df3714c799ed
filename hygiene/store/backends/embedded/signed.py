"""Signed JSON documents: one form for records and policies.

A document is an object with ``signer`` (base64 of an Ed25519 key) and ``signature``; signed is the RFC 8785
form of everything but the signature, behind a prefix that names the kind, so that one kind never passes
for another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

import rfc8785

from hygiene import crypto
from hygiene.errors import IntegrityError


def sign_document(identity: crypto.Identity, kind: str, body: dict[str, Any]) -> bytes:
    """Sign ``body`` as a ``kind``; gives the bytes to write, one line a leaf, so that git merges them."""
    document = {**body, "signer": base64.b64encode(identity.member.verify_key).decode()}
    signature = base64.b64encode(identity.sign(_message(kind, document))).decode()
    return json.dumps({**document, "signature": signature}, indent=1, sort_keys=True).encode() + b"\n"


def parse_document(raw: bytes, what: str) -> dict[str, Any]:
    """Read a document without judging its signature; raises :class:`IntegrityError` naming ``what``."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{what} is damaged: it is not JSON", hint="restore it from git or a backup") from error
    if not isinstance(document, dict) or document.get("format") != 1:
        raise IntegrityError(f"{what} is not a document of format 1", hint="a newer hygiene may have written it")
    return document


def signer_of(document: dict[str, Any], kind: str) -> bytes:
    """Give the key that signed ``document``, or nothing where the signature does not hold."""
    try:
        signer = base64.b64decode(document["signer"], validate=True)
        signature = base64.b64decode(document["signature"], validate=True)
        unsigned = {key: value for key, value in document.items() if key != "signature"}
        held = crypto.verify(signer, signature, _message(kind, unsigned))
    except (KeyError, TypeError, ValueError, binascii.Error, rfc8785.CanonicalizationError):
        return b""
    return signer if held else b""


def digest(raw: bytes) -> str:
    """Compute the SHA-256 of ``raw``, in hex."""
    return hashlib.sha256(raw).hexdigest()


def _message(kind: str, document: dict[str, Any]) -> bytes:
    return f"hygiene {kind} 1\n".encode() + rfc8785.dumps(document)
