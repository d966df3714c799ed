from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hygiene.exposure import Exposure, Moment
from hygiene.report.outlook import in_words, next_step

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def exposure(state: str, **facts: object) -> Exposure:
    made = Exposure("v1:x", state, "shop-token", "Shop token", "high", "tok_…", "unverified", paths=("a.env",))
    return made._replace(introduced=Moment(NOW - timedelta(days=12), "ann", "c"), **facts)


def test_manager_reads_how_it_stands_what_is_urgent_and_what_is_next() -> None:
    told = in_words(
        [
            exposure("open", verification="live", severity="critical"),
            exposure("contained", reference="ref+embedded://shop/db"),
            exposure("rotated", reference="ref+embedded://shop/api"),
            *[exposure("closed")] * 3,
            exposure("accepted"),
        ],
        NOW,
    )
    assert told == (
        "7 credentials leaked: 3 are worthless by now, 3 may still work, 1 stays with a reason.",
        "Of those that may still work, 1 is known to work, 1 is critical, the oldest leaked 12 d ago.",
        "Next: 1 to rotate; 1 to store or to revoke; 1 whose old value is still to be ended.",
    )


def test_nothing_left_to_do_is_one_sentence() -> None:
    assert in_words([exposure("closed")], NOW) == ("1 credential leaked: 1 is worthless by now.",)
    assert in_words([], NOW) == ("No credential is known to have leaked.",)


@pytest.mark.parametrize(
    ("state", "facts", "words"),
    [
        ("open", {}, "hygiene migrate --apply a.env"),
        ("open", {"reference": "ref+embedded://shop/db?stage=current#/password"}, "hygiene rotate shop/db"),
        ("rotated", {"reference": "ref+embedded://shop/db"}, "hygiene rotate confirm shop/db"),
        ("accepted", {"accepted_until": "2027-01-31"}, "2027-01-31"),
    ],
)
def test_each_exposure_names_its_next_step(state: str, facts: dict[str, str], words: str) -> None:
    assert words in next_step(exposure(state, **facts))


@pytest.mark.parametrize("state", ["closed", "accepted"])
def test_what_is_over_has_no_next_step(state: str) -> None:
    assert next_step(exposure(state)) == ""
