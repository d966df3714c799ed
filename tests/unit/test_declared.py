from __future__ import annotations

import json

import pytest

from hygiene.errors import OutcomeUnknownError, PersonNeededError, ProviderError
from hygiene.rotate.asking import Asker
from hygiene.rotate.declared import build_request, check_from_answer, steps_of
from hygiene.rotate.net import HttpAnswer, HttpRequest
from hygiene.rotate.provider import Target, Verdict
from hygiene.rotate.providers.declared import DeclaredProvider
from hygiene.secret import Secret

TABLE = {"request": "GET https://api.host/me", "live": [200, 403], "dead": [401]}
VALUE = "to" + "ken-1"


@pytest.mark.parametrize(
    ("table", "answer", "verdict"),
    [
        (TABLE, HttpAnswer(200), Verdict.LIVE),
        (TABLE, HttpAnswer(403), Verdict.LIVE),
        (TABLE, HttpAnswer(401), Verdict.DEAD),
        (TABLE, HttpAnswer(302), Verdict.UNKNOWN),
        (TABLE, HttpAnswer(404), Verdict.UNKNOWN),
        (TABLE, HttpAnswer(429), Verdict.UNKNOWN),
        (TABLE, HttpAnswer(500), Verdict.UNKNOWN),
        (TABLE, HttpAnswer(503), Verdict.UNKNOWN),
        (TABLE, HttpAnswer(problem="no answer in time"), Verdict.UNKNOWN),
        ({**TABLE, "dead": [401, 429, 500]}, HttpAnswer(429), Verdict.UNKNOWN),
        ({**TABLE, "dead": [401, 429, 500]}, HttpAnswer(500), Verdict.UNKNOWN),
        ({**TABLE, "live_text": '"ok":true'}, HttpAnswer(200, b'{"ok":true}'), Verdict.LIVE),
        ({**TABLE, "live_text": '"ok":true'}, HttpAnswer(200, b'{"ok":false}'), Verdict.UNKNOWN),
        ({**TABLE, "live_text": '"ok":true'}, HttpAnswer(401, b""), Verdict.DEAD),
        ({**TABLE, "dead_text": "invalid_auth"}, HttpAnswer(200, b"invalid_auth"), Verdict.DEAD),
        ({**TABLE, "dead_text": "invalid_auth"}, HttpAnswer(200, b"fine"), Verdict.LIVE),
        ({**TABLE, "dead_text": "invalid_auth"}, HttpAnswer(401, b"proxy login"), Verdict.UNKNOWN),
        ({"request": "GET https://api.host/me"}, HttpAnswer(401), Verdict.UNKNOWN),
    ],
)
def test_answer_means_what_the_table_says(table: dict[str, object], answer: HttpAnswer, verdict: Verdict) -> None:
    assert check_from_answer(table, answer).verdict is verdict


def test_request_is_filled_and_escaped_for_its_place() -> None:
    table = {
        "request": "POST https://api.host/t/{secret}?q={secret}",
        "headers": {"Authorization": "Bearer {secret}"},
        "json": {"credentials": "[{secret}]", "deep": [{"one": "{secret}"}]},
    }
    request = build_request(table, {"secret": "a/b?&"})
    assert request.url == "https://api.host/t/a%2Fb%3F%26?q=a%2Fb%3F%26"
    assert request.headers["Authorization"] == "Bearer a/b?&"
    assert json.loads(request.body or b"") == {"credentials": ["a/b?&"], "deep": [{"one": "a/b?&"}]}
    assert VALUE not in repr(build_request(TABLE, {"secret": VALUE}))
    form = build_request({"request": "POST https://h/", "form": {"token": "{secret}"}}, {"secret": "a&b=c"})
    assert form.body == b"token=a%26b%3Dc"
    basic = build_request({"request": "GET https://h/", "basic": "{user}:{secret}"}, {"secret": "s", "user": "u"})
    assert basic.headers["Authorization"] == "Basic dTpz"


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\x00", "ü"])
def test_value_that_would_break_a_header_is_refused(value: str) -> None:
    with pytest.raises(ProviderError, match="header"):
        build_request({**TABLE, "headers": {"Authorization": "{secret}"}}, {"secret": value})


def test_missing_value_is_named() -> None:
    with pytest.raises(ProviderError, match="email"):
        build_request({**TABLE, "headers": {"X-Email": "{email}"}}, {"secret": "s"})


class Net:
    """Stands for the network: gives prepared answers, and keeps what was sent."""

    def __init__(self, *answers: HttpAnswer) -> None:
        self.answers, self.sent = list(answers), []  # type: ignore[var-annotated]

    def __call__(self, request: HttpRequest, *, private: bool) -> HttpAnswer:
        self.sent.append((request.host, private))
        return self.answers.pop(0)


def asker(net: Net) -> Asker:
    return Asker({"api.host"}, send=net, sleep=lambda _: None)


def test_host_is_fixed_or_allowed_by_name() -> None:
    net = Net(HttpAnswer(200), HttpAnswer(200))
    assert asker(net).check(TABLE, {"secret": "s"}).verdict is Verdict.LIVE
    elsewhere = {**TABLE, "request": "GET https://evil.example/x"}
    assert asker(net).check(elsewhere, {"secret": "s"}).verdict is Verdict.UNKNOWN
    assert asker(net).check(TABLE, {"secret": "s"}, host="evil.example").verdict is Verdict.UNKNOWN
    assert asker(net).check({**TABLE, "request": "GET https://{host}/x"}, {"secret": "s"}).verdict is Verdict.UNKNOWN
    asker(net).check(TABLE, {"secret": "s"}, host="git.intern", allowed=["git.intern"])
    assert net.sent == [("api.host", False), ("git.intern", True)]


def test_provider_that_says_too_often_is_not_asked_again() -> None:
    net = Net(HttpAnswer(429))
    one = asker(net)
    assert [one.check(TABLE, {"secret": "s"}).verdict for _ in range(3)] == [Verdict.UNKNOWN] * 3
    assert len(net.sent) == 1


def test_requests_to_one_host_keep_a_distance() -> None:
    waits: list[float] = []
    one = Asker({"api.host"}, send=Net(*[HttpAnswer(200)] * 3), clock=lambda: 100.0, sleep=waits.append)
    for _ in range(3):
        one.check(TABLE, {"secret": "s"})
    assert waits == [0.5, 1.0]


REVOKE = {"request": "DELETE https://api.host/me", "done": [204], "self": True}
ROTATE = {"request": "POST https://api.host/rotate", "done": [200], "value": "/data/token"}


def provider(*answers: HttpAnswer, answer: Secret | None = None, **tables: object) -> DeclaredProvider:
    target = Target("n", {}, tables=tables, answer=answer)  # type: ignore[arg-type]
    return DeclaredProvider(target, asker(Net(*answers)))


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([HttpAnswer(204)], None),
        ([HttpAnswer(404), HttpAnswer(401)], None),  # not done, but dead: it was dead before
        ([HttpAnswer(404), HttpAnswer(200)], ProviderError),
        ([HttpAnswer(500), HttpAnswer(503)], ProviderError),
        ([HttpAnswer(problem="cut"), HttpAnswer(401)], None),  # cut after the provider had acted
    ],
)
def test_revoke_is_believed_only_when_done_or_dead(answers: list[HttpAnswer], error: type[Exception] | None) -> None:
    made = provider(*answers, verify=TABLE, revoke=REVOKE)
    if error is None:
        made.kill(Secret(b"s"))
    else:
        with pytest.raises(error):
            made.kill(Secret(b"s"))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (HttpAnswer(200, b'{"data": {"token": "new"}}'), b"new"),
        (HttpAnswer(200, b'{"data": {}}'), OutcomeUnknownError),
        (HttpAnswer(200, b"<html>"), OutcomeUnknownError),
        (HttpAnswer(401), ProviderError),
        (HttpAnswer(403), ProviderError),
        (HttpAnswer(429), OutcomeUnknownError),
        (HttpAnswer(502), OutcomeUnknownError),
        (HttpAnswer(302), OutcomeUnknownError),
        (HttpAnswer(problem="the connection failed (ConnectionResetError)"), OutcomeUnknownError),
        (HttpAnswer(problem="the host's name does not resolve", sent=False), ProviderError),
    ],
)
def test_rotate_tells_done_refused_and_unknown_apart(answer: HttpAnswer, outcome: object) -> None:
    made = provider(answer, verify=TABLE, rotate=ROTATE)
    assert not made.abilities.overlap
    if isinstance(outcome, bytes):
        assert made.issue(Secret(b"old"), None) == Secret(outcome)
        return
    with pytest.raises(ProviderError) as raised:
        made.issue(Secret(b"old"), None)
    assert type(raised.value) is outcome


def test_provider_without_a_table_waits_for_a_person() -> None:
    with pytest.raises(PersonNeededError, match="by hand") as raised:
        provider(rotate={"steps": "Press Roll.", "link": "https://x"}).issue(Secret(b"old"), None)
    assert "1. Press Roll. (https://x)" in raised.value.hint
    assert provider(answer=Secret(b"new")).issue(Secret(b"old"), None) == Secret(b"new")


def test_steps_have_their_link_and_note() -> None:
    assert steps_of({"steps": ["a", "b"], "link": "l", "note": "n"}) == ("a (l)", "b", "n")
    assert steps_of({}) == ()
