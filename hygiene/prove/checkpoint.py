"""Checkpoints: where a chain stood, signed, so that it can be kept outside and held against the chain later."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import NamedTuple

from hygiene.crypto import find_identity
from hygiene.errors import IdentityError
from hygiene.prove.event import AuditEvent

Sign = Callable[[bytes], bytes]


class Signer(NamedTuple):
    """What signs checkpoints: an identity's Ed25519 key."""

    verify_key: bytes  # 32 bytes
    sign: Sign


class Checkpoint(NamedTuple):
    """The end of a chain at one time."""

    log: str
    seq: int
    hash: str
    time: str
    key: str = ""  # Ed25519 public key, base64; empty where no identity was at hand
    signature: str = ""  # base64
    place: str = ""  # whose folder it is, as a hash, so that its absence there can be noticed


def find_signer() -> Signer | None:
    """Give what signs with the user's identity; None where none is at hand without asking a person."""
    try:
        identity = find_identity()
    except IdentityError:
        return None  # a checkpoint without a signature still fixes the end of the log
    return Signer(identity.member.verify_key, identity.sign) if identity.member.verify_key else None


def message(log: str, seq: int, hash: str) -> bytes:
    """Give the bytes that a checkpoint's signature covers."""
    return f"hygiene audit checkpoint 1\n{log}\n{seq}\n{hash}\n".encode()


def signed_detail(signer: Signer | None, log: str, seq: int, hash: str) -> dict[str, str]:
    """Give the detail of a checkpoint entry that follows the entry ``seq``."""
    if signer is None:
        return {}
    signature = signer.sign(message(log, seq, hash))
    return {"key": base64.b64encode(signer.verify_key).decode(), "signature": base64.b64encode(signature).decode()}


def checkpoint_from_entry(event: AuditEvent, place: str = "") -> Checkpoint:
    """Give the checkpoint that an entry of the log holds: it speaks of the entry before itself."""
    key, signature = event.detail.get("key", ""), event.detail.get("signature", "")
    return Checkpoint(event.log, event.seq - 1, event.prev, event.time, key, signature, place)


def format_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Write ``checkpoint`` as one line of JSON."""
    return json.dumps(checkpoint._asdict(), sort_keys=True).encode() + b"\n"


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Read a checkpoint; raises ValueError for anything else."""
    try:
        fields = json.loads(text.decode())
        checkpoint = Checkpoint(**fields)
    except (TypeError, RecursionError) as error:
        raise ValueError("not a checkpoint") from error
    if not isinstance(checkpoint.seq, int) or not all(
        isinstance(v, str) for v in fields.values() if v != fields["seq"]
    ):
        raise ValueError("not a checkpoint")
    return checkpoint
