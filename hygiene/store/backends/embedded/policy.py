"""The store's policy: owners, roles and the recovery key, each edition signed by an owner of the one before.

The first edition signs itself, and its digest is the store's id; a client remembers it (see ``memory``).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from hygiene import crypto
from hygiene.config import Role
from hygiene.errors import IdentityError, IntegrityError
from hygiene.fileio import create_exclusive, make_private_folder
from hygiene.store import access
from hygiene.store.backends.embedded.layout import read_file
from hygiene.store.backends.embedded.record import format_time
from hygiene.store.backends.embedded.signed import digest, parse_document, sign_document, signer_of

KIND = "policy"
FOLDER = "policy"


class Policy(NamedTuple):
    """One edition of the policy, verified."""

    store: str  # the store's id
    serial: int
    digest: str
    owners: tuple[crypto.Member, ...]  # the recovery key is one of them
    recovery: crypto.Member
    roles: tuple[Role, ...]  # members in their text form
    vouched: Mapping[str, str] = {}  # records by digest whose writer has left since: name → digest

    def readers(self, name: str) -> tuple[str, ...]:
        """Give the recipients that may read ``name``."""
        texts = access.members_allowed(self.roles, access.READING, name)
        members = [crypto.parse_member(text) for text in texts if is_key(text)]
        return tuple(dict.fromkeys(m.recipient for m in (*self.owners, *members)))

    def rule(self, member: crypto.Member, verbs: frozenset[str], name: str) -> str:
        """Name the rule that lets ``member`` do one of ``verbs`` to ``name``; empty means denied."""
        if any(member.verify_key == owner.verify_key for owner in self.owners):
            return "owner"
        return self._role(member.recipient, verbs, name)

    def knows(self, member: crypto.Member) -> bool:
        """Say whether ``member``, with this very recipient and signing key, is an owner or in some role."""
        texts = (text for role in self.roles for text in role.members if is_key(text))
        return member in self.owners or any(crypto.parse_member(text) == member for text in texts)

    def signer_rule(self, verify_key: bytes, verbs: frozenset[str], name: str) -> str:
        """Name the rule that lets the holder of ``verify_key`` do one of ``verbs``; empty means denied."""
        if any(verify_key == owner.verify_key for owner in self.owners):
            return "owner"
        for text in access.members_allowed(self.roles, verbs, name):
            if is_key(text):
                member = crypto.parse_member(text)
                if member.verify_key and member.verify_key == verify_key:
                    return self._role(member.recipient, verbs, name)
        return ""

    def _role(self, recipient: str, verbs: frozenset[str], name: str) -> str:
        for role in access.granting_roles(self.roles, verbs, name):
            if any(is_key(m) and crypto.parse_member(m).recipient == recipient for m in role.members):
                return f"role {role.name}"
        return ""


def reader_id(recipient: str) -> str:
    """Name a recipient in a record: the first 16 hex digits of the SHA-256 of its text."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:16]


def create_policy(root: Path, identity: crypto.Identity, recovery: crypto.Member) -> None:
    """Write the first edition, with ``identity`` and ``recovery`` as owners, unless there is one."""
    body = _body(1, (identity.member, recovery), (), recovery=recovery, previous="", vouched={})
    make_private_folder(root / FOLDER)
    create_exclusive(_path(root, 1), sign_document(identity, KIND, body))


def write_policy(
    root: Path,
    identity: crypto.Identity,
    former: Policy,
    *,
    roles: tuple[Role, ...],
    owners: tuple[crypto.Member, ...],
    vouched: Mapping[str, str],
    recovery: crypto.Member | None = None,
) -> None:
    """Write the edition after ``former``; raises :class:`IntegrityError` when someone else just did."""
    kept = recovery or former.recovery
    body = _body(former.serial + 1, owners, roles, recovery=kept, previous=former.digest, vouched=vouched)
    if not create_exclusive(_path(root, former.serial + 1), sign_document(identity, KIND, body)):
        raise IntegrityError("the policy was changed by someone else meanwhile", hint="run the command again")


def latest_serial(root: Path) -> int:
    """Give the serial of the newest edition, 0 where there is no store."""
    try:
        with os.scandir(f"{root}/{FOLDER}") as entries:
            stems = [entry.name[:-5] for entry in entries if entry.name.endswith(".json")]
    except FileNotFoundError:
        return 0
    return max((int(stem) for stem in stems if stem.isdecimal()), default=0)


def read_policy(root: Path) -> Policy:
    """Read and verify the whole chain of editions; raises :class:`IntegrityError` naming the bad one."""
    policy: Policy | None = None
    for serial in range(1, latest_serial(root) + 1):
        policy = _next_edition(root, serial, policy)
    if policy is None:
        raise IntegrityError(f"{root} holds no policy")
    return policy


def edition_digest(root: Path, serial: int) -> str:
    """Give the digest of the edition ``serial``, which :func:`read_policy` has verified; empty where it is gone."""
    try:
        return digest(read_file(str(_path(root, serial))))
    except OSError:
        return ""


def _next_edition(root: Path, serial: int, former: Policy | None) -> Policy:
    what = f"the policy {_path(root, serial)}"
    try:
        raw = read_file(str(_path(root, serial)))
    except OSError as error:
        raise IntegrityError(f"{what} can't be read: {error.strerror}", hint="restore it from git") from error
    document = parse_document(raw, what)
    edition = _parse(document, digest(raw), former, what)
    signer = signer_of(document, KIND)
    trusted = (former or edition).owners
    if not signer or not any(signer == owner.verify_key for owner in trusted):
        raise IntegrityError(f"{what} is not signed by an owner", hint="restore the former policy from git")
    if edition.serial != serial or document.get("previous") != (former.digest if former else ""):
        raise IntegrityError(f"{what} does not follow the one before", hint="restore the policies from git")
    return edition


def _parse(document: dict[str, Any], own_digest: str, former: Policy | None, what: str) -> Policy:
    try:
        owners = tuple(crypto.parse_member(text) for text in document["owners"])
        roles = tuple(
            Role(r["name"], tuple(r["members"]), tuple(r["paths"]), tuple(r["may"])) for r in document["roles"]
        )
        store = former.store if former else own_digest[:32]
        vouched = {str(name): str(value) for name, value in document["vouched"].items()}
        recovery = crypto.parse_member(document["recovery"])
        return Policy(store, int(document["serial"]), own_digest, owners, recovery, roles, vouched)
    except (KeyError, TypeError, ValueError, AttributeError, IdentityError) as error:
        raise IntegrityError(f"{what} is damaged", hint="restore it from git") from error


def _body(
    serial: int,
    owners: tuple[crypto.Member, ...],
    roles: tuple[Role, ...],
    *,
    recovery: crypto.Member,
    previous: str,
    vouched: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "format": 1,
        "serial": serial,
        "created": format_time(datetime.now(UTC)),
        "owners": [str(owner) for owner in owners],
        "recovery": str(recovery),
        "roles": [{**role._asdict()} for role in roles],
        "previous": previous,
        "vouched": dict(vouched),
    }


def is_key(member: str) -> bool:
    """Say whether ``member`` is a key; members of other kinds (oidc:…) mean something only to managed stores."""
    return member.startswith(("age1", "ssh-"))


def _path(root: Path, serial: int) -> Path:
    return root / FOLDER / f"{serial:06d}.json"
