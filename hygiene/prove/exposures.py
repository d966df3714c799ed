"""Builds the exposures from what a scan found and what the audit log proves; pure, without I/O.

An entry of the log speaks of a leak when its detail has the finding's ``fingerprint``. Where its object is a reference
besides, it ties the leak to the stored secret; rotations of that secret count from then on, since earlier ones
replaced another value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from hygiene.exposure import STATES, Exposure, Moment
from hygiene.finding import SEVERITIES, Finding, Provenance
from hygiene.prove.event import INTENT, OK, AuditEvent

ACCEPT = "exposure.accept"
_PROMOTED = ("rotate.promote",)
_REVOKED = ("rotate.revoke", "revoke")
_STORED = ("migrate.replace",)


class _Evidence(NamedTuple):
    """What the log says of one leak."""

    own: list[AuditEvent]  # name its fingerprint
    later: list[AuditEvent]  # concern the stored secret, after it was tied to the leak
    reference: str


def build_exposures(findings: Iterable[Finding], events: Iterable[AuditEvent], now: datetime) -> tuple[Exposure, ...]:
    """Give one exposure a leaked secret, the gravest open ones first.

    ``now`` decides whether an acceptance still holds. Leaks that only the log knows (never committed, or purged from
    history since) are there too.
    """
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.fingerprint, []).append(finding)
    log = list(_completed(events))
    named: dict[str, list[AuditEvent]] = {}
    for event in log:
        if fingerprint := event.detail.get("fingerprint"):
            named.setdefault(fingerprint, []).append(event)
    by_object: dict[str, list[AuditEvent]] = {}
    for event in log:
        by_object.setdefault(_secret_of(event.object), []).append(event)
    exposures = [
        _exposure(fingerprint, found.get(fingerprint, []), _evidence(named.get(fingerprint, []), by_object), now)
        for fingerprint in found.keys() | named.keys()
    ]
    return tuple(sorted(exposures, key=_order))


def _completed(events: Iterable[AuditEvent]) -> Iterator[AuditEvent]:
    """Give what was done, each with the detail that its intent announced."""
    intents: dict[tuple[str, str], Mapping[str, str]] = {}
    for event in events:
        if event.outcome == INTENT:
            intents[event.log, str(event.seq)] = event.detail
        else:
            announced = intents.pop((event.log, event.detail.get("intent", "")), {})
            if event.outcome == OK:
                yield event._replace(detail={**announced, **event.detail})


def _evidence(own: list[AuditEvent], by_object: Mapping[str, list[AuditEvent]]) -> _Evidence:
    tie = next((event for event in own if event.object.startswith("ref+")), None)
    if tie is None:
        return _Evidence(own, [], "")
    # A leak that turned out to be an older version of the secret was replaced before anybody tied the two.
    since = "" if tie.detail.get("stage") == "previous" else tie.time
    later = [event for event in by_object.get(_secret_of(tie.object), []) if event.time >= since and event not in own]
    return _Evidence(own, later, tie.object)


def _secret_of(reference: str) -> str:
    """Give ``reference`` without stage, version and field: all of them live and die together."""
    return reference.partition("#")[0].partition("?")[0]


def _exposure(
    fingerprint: str,
    findings: Sequence[Finding],
    evidence: _Evidence,
    now: datetime,
) -> Exposure:
    places = sorted({place for finding in findings for place in finding.provenance}, key=_age)
    named = [commit for place in places for commit in (place.commit, place.last_commit)]
    told = sorted((*evidence.own, *evidence.later), key=lambda event: (event.time, event.seq))
    accepted = next((event for event in reversed(evidence.own) if event.action == ACCEPT), None)
    first = findings[0] if findings else None
    details = evidence.own[0].detail if evidence.own else {}
    exposure = Exposure(
        fingerprint=fingerprint,
        state="open",
        rule=first.rule if first else details.get("rule", ""),
        description=first.description if first else details.get("rule", ""),
        severity=max((f.severity for f in findings), key=SEVERITIES.index, default="medium"),
        secret=first.secret.redacted() if first else "",
        verification=_verification(findings, told),
        introduced=_introduction(places),
        commits=tuple(dict.fromkeys(filter(None, named))),
        paths=tuple(dict.fromkeys((*(place.path for place in places), *(f.path for f in findings)))),
        refs=tuple(sorted({ref for place in places for ref in place.refs})),
        reference=evidence.reference,
        stored=_moment(evidence.own, _STORED),
        rotated=_moment(evidence.later, _PROMOTED),
        revoked=None if _outlived(told) else _moment([e for e in told if e.detail.get("which") != "new"], _REVOKED),
        accepted=_moment([accepted] if accepted else [], (ACCEPT,)),
        reason=accepted.detail.get("reason", "") if accepted else "",
        accepted_until=accepted.detail.get("expires", "") if accepted else "",
        evidence=tuple(f"{event.log[:16]}:{event.seq}" for event in told),
    )
    return exposure._replace(state=_state(exposure, findings, now))


def _state(exposure: Exposure, findings: Sequence[Finding], now: datetime) -> str:
    if exposure.revoked or exposure.verification == "dead":
        return "closed"
    if exposure.accepted and _still_holds(exposure.accepted_until, now):
        return "accepted"
    if exposure.rotated:
        return "rotated"
    if exposure.stored:
        return "contained"
    if findings and all(finding.status == "allowlisted" for finding in findings):
        return "accepted"
    return "open"


def _outlived(told: Sequence[AuditEvent]) -> bool:
    """Say whether the leaked value was seen alive after its provider said that it was revoked."""
    for event in reversed(told):
        if "verdict" in event.detail:
            return event.detail["verdict"] == "live"
        if event.action in _REVOKED:
            return False
    return False


def _still_holds(until: str, now: datetime) -> bool:
    if not until:
        return True
    try:
        return date.fromisoformat(until[:10]) >= now.date()
    except ValueError:
        return False


def _verification(findings: Sequence[Finding], events: Sequence[AuditEvent]) -> str:
    verdicts = [event.detail["verdict"] for event in events if "verdict" in event.detail]
    if verdicts:
        return verdicts[-1]
    seen = {finding.verification for finding in findings}
    return next((verdict for verdict in ("live", "unknown", "dead") if verdict in seen), "unverified")


def _introduction(places: Sequence[Provenance]) -> Moment | None:
    for place in places:
        if place.commit and (time := _parse_time(place.date)):
            return Moment(time, f"{place.author} <{place.email}>", place.commit)
    return None


def _moment(events: Iterable[AuditEvent], actions: tuple[str, ...]) -> Moment | None:
    for event in events:
        if event.action in actions and (time := _parse_time(event.time)):
            actor = event.actor
            who = actor.get("subject") or actor.get("git") or actor.get("user", "")
            return Moment(time, who, f"{event.log[:16]}:{event.seq}")
    return None


def _parse_time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _age(place: Provenance) -> tuple[float, str, str]:
    time = _parse_time(place.date)
    return (time.timestamp() if time else float("inf"), place.commit, place.path)


def _order(exposure: Exposure) -> tuple[int, int, str, str]:
    place = exposure.paths[0] if exposure.paths else ""
    return (STATES.index(exposure.state), -SEVERITIES.index(exposure.severity), place, exposure.fingerprint)
