"""The story of a leak, as scan and log tell it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hygiene.prove.event import AuditEvent
from hygiene.prove.exposures import build_exposures
from tests.fakes.findings import COMMIT, finding, place

NOW = datetime(2026, 6, 1, tzinfo=UTC)
REFERENCE = "ref+embedded://shop/db"
LEAK = finding(1, provenance=(place(),))


class Log:
    """Events in the order of their writing, a day apart."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def add(self, action: str, object: str = REFERENCE, outcome: str = "ok", **detail: str) -> Log:
        seq = len(self.events) + 1
        time = f"2026-03-{seq:02}T00:00:00.000Z"
        event = AuditEvent(seq, time, {"user": "ada"}, action, object, outcome, detail, "", "", log="ab" * 8)
        self.events.append(event)
        return self

    def replaced(self) -> Log:
        """An access as the log records it: the intent tells what, the outcome points to it."""
        self.add("migrate.replace", outcome="intent", fingerprint=LEAK.fingerprint, rule=LEAK.rule)
        return self.add("migrate.replace", intent=str(len(self.events)))


def story(log: Log, *findings):
    (exposure,) = build_exposures(findings or (LEAK,), log.events, NOW)
    return exposure


@pytest.mark.parametrize(
    ("actions", "state"),
    [
        ([], "open"),
        (["replace"], "contained"),
        (["replace", "rotate.issue"], "contained"),
        (["replace", "rotate.issue", "rotate.promote"], "rotated"),
        (["replace", "rotate.issue", "rotate.promote", "rotate.revoke"], "closed"),
        (["rotate.promote", "rotate.revoke", "replace"], "contained"),  # that was another value
    ],
)
def test_exposure_state_follows_the_evidence(actions, state):
    log = Log()
    for action in actions:
        log.replaced() if action == "replace" else log.add(action)
    assert story(log).state == state


def test_exposure_tells_who_when_where_and_the_evidence():
    log = Log().replaced().add("rotate.promote", REFERENCE + "?stage=current").add("rotate.revoke")
    later = place(date="2026-02-01T00:00:00+00:00", commit="f" * 40, author="Bob")._replace(refs=("refs/tags/v1",))
    leak = finding(1, provenance=(later, place()._replace(refs=("refs/heads/main", "refs/tags/v1"))))
    exposure = story(log, leak)
    assert exposure.introduced is not None
    assert (exposure.introduced.who, exposure.introduced.evidence) == ("Ada <ada@example.org>", COMMIT)
    assert exposure.commits == (COMMIT, "f" * 40)
    assert exposure.refs == ("refs/heads/main", "refs/tags/v1")
    assert exposure.reference == REFERENCE
    assert exposure.evidence == ("ab" * 8 + ":2", "ab" * 8 + ":3", "ab" * 8 + ":4")
    assert exposure.rotated is not None
    assert exposure.rotated.time == datetime(2026, 3, 3, tzinfo=UTC)
    assert exposure.seconds_to(exposure.revoked) == pytest.approx(61.1 * 86400, abs=86400)


@pytest.mark.parametrize("outcome", ["intent", "failed", "denied"])
def test_exposure_what_was_only_tried_does_not_count(outcome):
    log = Log().replaced().add("rotate.promote", outcome=outcome).add("rotate.revoke", outcome=outcome)
    assert story(log).state == "contained"


def test_exposure_replacement_that_was_announced_and_failed_leaves_it_open():
    log = Log().add("migrate.replace", outcome="intent", fingerprint=LEAK.fingerprint)
    assert story(log.add("migrate.replace", outcome="failed", intent="1")).state == "open"


def test_exposure_withdrawal_of_the_new_value_does_not_close_it():
    assert story(Log().replaced().add("rotate.revoke", which="new")).state == "contained"


def test_exposure_rotation_of_another_secret_does_not_count():
    assert story(Log().replaced().add("rotate.revoke", "ref+embedded://shop/db2")).state == "contained"


@pytest.mark.parametrize(("expires", "state"), [("", "accepted"), ("2027-01-01", "accepted"), ("2026-01-01", "open")])
def test_exposure_acceptance_holds_until_it_expires(expires, state):
    log = Log().add("exposure.accept", LEAK.fingerprint, fingerprint=LEAK.fingerprint, reason="test", expires=expires)
    exposure = story(log)
    assert (exposure.state, exposure.reason) == (state, "test")


def test_exposure_found_dead_is_closed_and_the_later_verdict_counts():
    assert story(Log(), LEAK._replace(verification="dead")).state == "closed"
    assert story(Log(), LEAK._replace(verification="live")).verification == "live"
    log = Log().add("verify", "x", fingerprint=LEAK.fingerprint, verdict="dead")
    log.add("verify", "x", fingerprint=LEAK.fingerprint, verdict="live")
    assert story(log).state == "open"


def test_exposure_of_an_older_version_was_rotated_before():
    log = Log().add("rotate.promote").add("rotate.revoke")
    log.add("rotate.match", fingerprint=LEAK.fingerprint, stage="previous")
    assert story(log).state == "closed"


def test_exposure_that_only_the_log_knows_is_told():
    (exposure,) = build_exposures((), Log().replaced().events, NOW)
    assert (exposure.state, exposure.introduced, exposure.rule) == ("contained", None, LEAK.rule)


def test_exposure_same_value_in_many_places_is_one():
    many = [finding(1, path=f"f{n}.py", provenance=(place(f"f{n}.py"),)) for n in range(40)]
    exposure = story(Log(), *many)
    assert len(exposure.paths) == 40


def test_exposure_with_a_broken_date_has_no_introduction():
    assert story(Log(), finding(1, provenance=(place(date="yesterday"),))).introduced is None


def test_exposures_gravest_open_ones_come_first():
    findings = [finding(1, severity="low"), finding(2, severity="critical"), finding(3, verification="dead")]
    order = [e.severity for e in build_exposures(findings, [], NOW)]
    assert order == ["critical", "low", "high"]


def test_exposure_seen_alive_after_its_revocation_is_not_closed():
    log = Log().add("revoke", "x", fingerprint=LEAK.fingerprint)
    log.add("verify", "x", fingerprint=LEAK.fingerprint, verdict="live")
    exposure = story(log)
    assert (exposure.state, exposure.revoked) == ("open", None)
    log.add("revoke", "x", fingerprint=LEAK.fingerprint)
    exposure = story(log)
    assert exposure.state == "closed" and exposure.revoked
