"""Access for a time: a member asks with a reason, someone else with the verb ``grant`` approves, and it ends by itself.

Requests and decisions are signed files below ``access/ID/``. While an access is active its holder is one of the readers
that values are encrypted to; when it has ended, honest clients refuse at once, new values leave the holder out,
and ``access apply`` encrypts the old ones anew and marks them due.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from hygiene import crypto
from hygiene.errors import AccessDeniedError, IdentityError, IntegrityError, NotFoundError
from hygiene.fileio import create_exclusive, make_private_folder
from hygiene.store import access
from hygiene.store.backends.embedded.policy import Policy
from hygiene.store.backends.embedded.record import format_time, parse_time
from hygiene.store.backends.embedded.signed import digest, parse_document, sign_document, signer_of
from hygiene.store.protocol import AccessRequest

FOLDER = "access"
_REQUEST, _DECISION = "access request", "access decision"
_GRANTING = frozenset({"grant"})


class Request(NamedTuple):
    """What a member asks for."""

    id: str
    member: crypto.Member
    paths: tuple[str, ...]
    reason: str
    duration: timedelta
    created: datetime
    digest: str


class Decision(NamedTuple):
    """What someone decided about a request."""

    approved: bool
    until: datetime | None
    reason: str
    signer: bytes
    break_glass: bool


def write_request(
    root: Path, policy: Policy, identity: crypto.Identity, *, paths: tuple[str, ...], reason: str, duration: timedelta
) -> str:
    """Sign and write a request; gives its id."""
    id = secrets.token_hex(4)
    body = {
        "format": 1,
        "store": policy.store,
        "id": id,
        "member": str(identity.member),
        "paths": list(paths),
        "reason": reason,
        "seconds": int(duration.total_seconds()),
        "created": format_time(datetime.now(UTC)),
    }
    folder = make_private_folder(root / FOLDER / id)
    create_exclusive(folder / "request.json", sign_document(identity, _REQUEST, body))
    return id


def write_decision(
    root: Path,
    policy: Policy,
    identity: crypto.Identity,
    request: Request,
    *,
    approved: bool,
    reason: str,
    break_glass: bool = False,
) -> Decision:
    """Sign and write a decision; raises :class:`AccessDeniedError` for who may not decide."""
    signer = identity.member.verify_key
    if not any(policy.signer_rule(signer, _GRANTING, path) for path in request.paths):
        raise AccessDeniedError(f"your identity may not grant access to {', '.join(request.paths)}")
    if approved and signer == request.member.verify_key and not break_glass:
        raise AccessDeniedError(
            "nobody approves a request of their own",
            hint="let someone else with the verb grant do it; in an emergency: --break-glass, loud in the audit",
        )
    until = datetime.now(UTC) + request.duration if approved else None
    body = {
        "format": 1,
        "store": policy.store,
        "request": request.digest,
        "approved": approved,
        "until": format_time(until),
        "reason": reason,
        "break_glass": break_glass,
    }
    path = root / FOLDER / request.id / f"decision-{secrets.token_hex(4)}.json"
    create_exclusive(path, sign_document(identity, _DECISION, body))
    return Decision(approved, until, reason, signer, break_glass)


def read_requests(root: Path, policy: Policy) -> Iterator[tuple[Request, tuple[Decision, ...]]]:
    """Give the requests, oldest first, with their decisions; what does not verify counts for nothing."""
    found = []
    for path in sorted((root / FOLDER).glob("*/request.json")):
        request = _read_request(path, policy)
        if request is not None:
            decisions = (_read_decision(file, policy, request) for file in sorted(path.parent.glob("decision-*.json")))
            found.append((request, tuple(decision for decision in decisions if decision is not None)))
    yield from sorted(found, key=lambda pair: pair[0].created)


def find_request(root: Path, policy: Policy, id: str) -> Request:
    """Give the request called ``id``; raises :class:`NotFoundError`."""
    for request, _ in read_requests(root, policy):
        if request.id == id:
            return request
    raise NotFoundError(f"there is no request {id}", hint="hygiene access list shows them")


def active_until(policy: Policy, request: Request, decisions: tuple[Decision, ...], name: str) -> datetime | None:
    """Say until when ``request`` opens ``name``; None where it does not (any more)."""
    if not any(access.covers(path, name) for path in request.paths):
        return None
    valid = [d for d in decisions if policy.signer_rule(d.signer, _GRANTING, name)]
    if any(not decision.approved for decision in valid):
        return None
    now = datetime.now(UTC)
    ends = [d.until for d in valid if d.until is not None and (d.break_glass or d.signer != request.member.verify_key)]
    return max((end for end in ends if end > now), default=None)


def told_request(policy: Policy, request: Request, decisions: tuple[Decision, ...]) -> AccessRequest:
    """Tell a request and its state; a decision counts where its signer may grant one of the paths."""
    valid = [d for d in decisions if any(policy.signer_rule(d.signer, _GRANTING, path) for path in request.paths)]
    until = max((d.until for d in valid if d.until is not None), default=None)
    state = "waiting"
    if any(not decision.approved for decision in valid):
        state = "denied"
    elif until is not None:
        state = "active" if until > datetime.now(UTC) else "ended"
    return AccessRequest(
        request.id,
        str(request.member),
        request.paths,
        request.reason,
        request.created,
        state,
        until,
        any(decision.break_glass for decision in valid),
    )


def active_readers(root: Path, policy: Policy, name: str) -> tuple[str, ...]:
    """Give the recipients that may read ``name`` by an access that was approved and has not ended."""
    if not (root / FOLDER).is_dir():
        return ()
    return tuple(
        request.member.recipient
        for request, decisions in read_requests(root, policy)
        if active_until(policy, request, decisions, name) is not None
    )


def _read_request(path: Path, policy: Policy) -> Request | None:
    document, raw = _read(path)
    try:
        member = crypto.parse_member(document["member"])
        request = Request(
            id=path.parent.name,
            member=member,
            paths=tuple(document["paths"]),
            reason=str(document["reason"]),
            duration=timedelta(seconds=int(document["seconds"])),
            created=parse_time(document["created"]) or datetime.now(UTC),
            digest=digest(raw),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, IdentityError):
        return None
    genuine = document["store"] == policy.store and signer_of(document, _REQUEST) == member.verify_key
    return request if genuine and member.verify_key else None


def _read_decision(path: Path, policy: Policy, request: Request) -> Decision | None:
    document, _ = _read(path)
    signer = signer_of(document, _DECISION)
    if not signer or document.get("store") != policy.store or document.get("request") != request.digest:
        return None
    try:
        until = parse_time(document["until"])
        return Decision(
            document["approved"] is True, until, str(document["reason"]), signer, document["break_glass"] is True
        )
    except (KeyError, TypeError, ValueError):
        return None


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        raw = path.read_bytes()
        return parse_document(raw, str(path)), raw
    except (OSError, IntegrityError):
        return {}, b""
