"""The hash chain of the audit log, without I/O: how an entry is made, sealed and read.

An entry is one line of canonical JSON (RFC 8785). With ``entry`` the line without ``hash`` and ``mac``:

    hash_n = SHA-256(0x00 || entry_n || hash_{n-1})      prev of the first entry is the log's random id
    mac_n  = HMAC-SHA-256(key_n, hash_n)                  key_{n+1} = HKDF-Expand(key_n), and key_n is erased

so an edit, a removal or a swap breaks the hashes, and one who recomputes the hashes lacks the past keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from hmac import digest as hmac_digest
from typing import Any, NamedTuple

import rfc8785

from hygiene.prove.event import AuditEvent

START = "audit.start"
EPOCH = "audit.epoch"
CHECKPOINT = "audit.checkpoint"
ANCHORED = "audit.anchor"  # says that a checkpoint was committed to a ref, so that its removal is noticed
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_NEXT_KEY = b"hygiene audit next key\x01"  # info and counter of a one-block HKDF-Expand (RFC 5869)


class Head(NamedTuple):
    """Where a chain stands: all that the next entry needs."""

    log: str  # the log's id, 64 hex digits
    seq: int  # of the last entry; 0 before the first
    hash: str  # of the last entry; the log's id before the first
    mac: str  # of the last entry; empty before the first
    time: str  # the latest of any entry: a clock that was set back stays known as such
    key: bytes  # the MAC key of the next entry


class Deed(NamedTuple):
    """What an entry tells, apart from who, when and in which place of the chain."""

    action: str
    object: str
    outcome: str
    detail: Mapping[str, str]


@lru_cache(8)  # the actor is the same in every entry of a run
def _canonical_pairs(pairs: tuple[tuple[str, str], ...]) -> bytes:
    return canonical(dict(pairs))


def canonical(document: dict[str, Any]) -> bytes:
    """Give the RFC 8785 form of ``document``: strings, whole numbers below 2**53, and objects of them.

    For ASCII keys the standard library writes the same bytes, an order of magnitude faster.
    """
    text = _ENCODER.encode(document)
    inner = (key for value in document.values() if isinstance(value, dict) for key in value)
    if not all(key.isascii() for key in (*document, *inner)):
        return rfc8785.dumps(document)
    return text.encode()


def _text(text: str) -> bytes:
    return _ENCODER.encode(text).encode()


def next_key(key: bytes) -> bytes:
    """Derive the key of the next entry; the way back does not exist."""
    return hmac_digest(key, _NEXT_KEY, "sha256")


def entry_after(head: Head, deed: Deed, *, time: str, actor: Mapping[str, str]) -> tuple[bytes, AuditEvent, Head]:
    """Make the entry that follows ``head``; gives its line (without newline), the event, and the new head."""
    before: dict[str, Any] = {"action": deed.action, "actor": dict(actor), "detail": dict(deed.detail)}
    who = _canonical_pairs(tuple(actor.items()))
    after: dict[str, Any] = {
        "object": deed.object,
        "outcome": deed.outcome,
        "prev": head.hash,
        "prev_mac": head.mac,
        "seq": head.seq + 1,
        "time": time,
    }
    # Canonical JSON sorts its keys, so that hash and mac stand between these two halves.
    first = b'{"action":%b,"actor":%b,"detail":%b,' % (_text(deed.action), who, canonical(before["detail"]))
    last = canonical(after)[1:]
    digest = entry_hash(first + last, head.hash)
    mac = entry_mac(head.key, digest)
    event = AuditEvent(**before, **after, hash=digest, mac=mac, log=head.log)
    line = first + _sealed(digest, mac) + last
    return line, event, Head(head.log, event.seq, digest, mac, max(time, head.time), next_key(head.key))


def entry_hash(entry: bytes, prev: str) -> str:
    """Hash the canonical ``entry`` (without ``hash`` and ``mac``) onto ``prev`` (hex); gives hex."""
    return sha256(b"\x00" + entry + bytes.fromhex(prev)).hexdigest()


def entry_mac(key: bytes, digest: str) -> str:
    """Authenticate the entry with the hash ``digest`` (hex) by ``key``; gives hex."""
    return hmac_digest(key, bytes.fromhex(digest), "sha256").hex()


def unsealed(line: bytes, digest: str, mac: str) -> bytes:
    """Give ``line`` without its hash and mac, which is what the hash covers; ValueError where it has them not once."""
    sealed = _sealed(digest, mac)
    bare = line.replace(sealed, b"")
    if len(bare) != len(line) - len(sealed):
        raise ValueError("not an audit entry")
    return bare


def _sealed(digest: str, mac: str) -> bytes:
    return b'"hash":"%s","mac":"%s",' % (digest.encode(), mac.encode())


def parse_entry(line: bytes, log: str = "") -> AuditEvent:
    """Read one line; raises ValueError for anything that is not an entry."""
    try:
        return AuditEvent(**json.loads(line.decode()), log=log)
    except (TypeError, RecursionError) as error:
        raise ValueError("not an audit entry") from error
