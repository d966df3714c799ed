"""Access for a time: a member asks with a reason, someone else with the verb ``grant`` approves, and it ends by itself.

Requests and decisions are signed files below ``access/ID/``. While an access is active its holder is one of the readers
that values are encrypted to; when it has ended, honest clients refuse at once, new values leave the holder out,
and ``access apply`` encrypts the old ones anew and marks them due.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from hygiene import crypto
from hygiene.errors import AccessDeniedError, IdentityError, IntegrityError, NotFoundError, UsageError
from hygiene.fileio import create_exclusive, make_private_folder
from hygiene.store import access
from hygiene.store.backends.embedded.layout import read_file
from hygiene.store.backends.embedded.policy import Policy
from hygiene.store.backends.embedded.record import format_time, parse_time
from hygiene.store.backends.embedded.signed import digest, parse_document, sign_document, signer_of
from hygiene.store.protocol import AccessRequest

FOLDER = "access"
_REQUEST, _DECISION = "access request", "access decision"
_GRANTING = frozenset({"grant"})


LONGEST = timedelta(days=30)  # whoever needs it for longer needs a role
_MOST_PATHS, _LONGEST_PATH = 64, 256


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


class Asked(NamedTuple):
    """A request and what came of it."""

    request: Request
    decisions: tuple[Decision, ...]
    denied: bool = False  # a denial was seen, now or before


def write_request(
    root: Path, policy: Policy, identity: crypto.Identity, *, paths: tuple[str, ...], reason: str, duration: timedelta
) -> str:
    """Sign and write a request; gives its id. Raises :class:`AccessDeniedError` for who is no member."""
    if not policy.knows(identity.member):
        raise AccessDeniedError(
            "your identity is no member of this store, so nobody knows who would be let in",
            hint="let an owner put what hygiene access whoami shows into a role, even one without paths",
        )
    if len(paths) > _MOST_PATHS or any(len(path) > _LONGEST_PATH for path in paths):
        raise UsageError(f"a request names at most {_MOST_PATHS} paths of {_LONGEST_PATH} characters")
    if duration > LONGEST:
        raise UsageError(f"access for a time ends within {LONGEST.days} days", hint="for longer ask for a role")
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
    if approved and is_own(signer, request) and not break_glass:
        raise AccessDeniedError(
            "nobody approves a request of their own",
            hint="let someone else with the verb grant do it; in an emergency: --break-glass, loud in the audit",
        )
    until = datetime.now(UTC) + min(request.duration, LONGEST) if approved else None
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


def read_requests(root: Path, policy: Policy) -> Iterator[Asked]:
    """Give the requests of members, oldest first, with their decisions; what does not verify counts for nothing."""
    found = []
    for path in sorted((root / FOLDER).glob("*/request.json")):
        request = _read_request(path, policy)
        if request is not None:
            decisions = (_read_decision(file, policy, request) for file in sorted(path.parent.glob("decision-*.json")))
            found.append(Asked(request, tuple(decision for decision in decisions if decision is not None)))
    yield from sorted(found, key=lambda asked: asked.request.created)


def find_request(root: Path, policy: Policy, id: str) -> Request:
    """Give the request called ``id``; raises :class:`NotFoundError`."""
    for asked in read_requests(root, policy):
        if asked.request.id == id:
            return asked.request
    raise NotFoundError(f"there is no request {id}", hint="hygiene access list shows them")


def is_own(signer: bytes, request: Request) -> bool:
    """Say whether the holder of the key ``signer`` is who asks."""
    return signer == request.member.verify_key


def is_denied(policy: Policy, asked: Asked) -> bool:
    """Say whether someone who may grant one of its paths denied it."""
    return any(not decision.approved for decision in _valid(policy, asked))


def active_until(policy: Policy, asked: Asked, name: str) -> datetime | None:
    """Say until when a request opens ``name``; None where it does not (any more)."""
    if asked.denied or not any(access.covers(path, name) for path in asked.request.paths):
        return None
    valid = [d for d in asked.decisions if policy.signer_rule(d.signer, _GRANTING, name)]
    ends = [d.until for d in valid if d.until is not None and (d.break_glass or not is_own(d.signer, asked.request))]
    return max((end for end in ends if end > datetime.now(UTC)), default=None)


def told_request(policy: Policy, asked: Asked) -> AccessRequest:
    """Tell a request and its state; a decision counts where its signer may grant one of the paths."""
    request, valid = asked.request, _valid(policy, asked)
    until = max((d.until for d in valid if d.until is not None), default=None)
    state = "waiting"
    if asked.denied:
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


def active_readers(requests: Iterable[Asked], policy: Policy, name: str) -> tuple[str, ...]:
    """Give the recipients that one of ``requests`` opens ``name`` to now."""
    return tuple(asked.request.member.recipient for asked in requests if active_until(policy, asked, name) is not None)


def active_grant(requests: Iterable[Asked], policy: Policy, member: crypto.Member, name: str) -> str:
    """Name the request that opens ``name`` to ``member`` now; empty where there is none."""
    for asked in requests:
        if asked.request.member == member and active_until(policy, asked, name) is not None:
            return f"access {asked.request.id}"
    return ""


def _valid(policy: Policy, asked: Asked) -> list[Decision]:
    paths = asked.request.paths
    return [d for d in asked.decisions if any(policy.signer_rule(d.signer, _GRANTING, path) for path in paths)]


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
    sane = len(request.paths) <= _MOST_PATHS and all(len(str(path)) <= _LONGEST_PATH for path in request.paths)
    return request if genuine and sane and member.verify_key and policy.knows(member) else None


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
        raw = read_file(str(path))
        return parse_document(raw, str(path)), raw
    except (OSError, IntegrityError):
        return {}, b""
