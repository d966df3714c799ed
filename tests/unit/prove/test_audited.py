"""A wrapped store leaves evidence of every access to a value."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hygiene.errors import AccessDeniedError, AuditError, NotFoundError
from hygiene.prove.audited import audited
from hygiene.prove.event import Actor
from hygiene.prove.log import Log
from hygiene.reference import Reference
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, Capabilities, StoredSecret, Version

TOKEN = "t" * 32
CANARY = "canary-" + "value-in-the-store"


class _Shelf:
    """A store of one process, only to be wrapped: keeps the last value of each name."""

    uri = "embedded:"
    capabilities = Capabilities()

    def __init__(self) -> None:
        self.values: dict[str, Secret] = {}
        self.calls: list[str] = []

    def __getattr__(self, name):
        def method(*_arguments, **_options):
            self.calls.append(name)

        return method

    def rule_for(self, verb, name):
        return "role test"

    def reference(self, name, *, field=""):
        return Reference("embedded", name, (), field)

    def put(self, name, secret, **_options):
        self.calls.append("put")
        self.values[name] = secret
        return Version("1", datetime.now(UTC), frozenset({CURRENT}))

    def get(self, name, **_options):
        self.calls.append("get")
        if name not in self.values:
            raise NotFoundError("there is none")
        return self.values[name]

    def list(self, prefix=""):
        return iter(
            [StoredSecret(name, self.reference(name), "hygiene", (), datetime.now(UTC)) for name in self.values]
        )


@pytest.fixture
def parts(tmp_path: Path):
    shelf, log = _Shelf(), Log(tmp_path / "audit", Actor("ada"))
    return shelf, log, audited(shelf, log)


def test_audited_put_and_get_leave_two_entries_each_and_no_value(parts):
    shelf, log, store = parts
    store.put("shop/db", Secret.from_text(CANARY), token=TOKEN, labels=(("rule", "generic"),))
    assert store.get("shop/db") == Secret.from_text(CANARY)
    told = [(e.action, e.object, e.outcome) for e in log.events()][1:]
    reference = "ref+embedded://shop/db"
    assert told == [
        ("secret.put", reference, "intent"),
        ("secret.put", reference, "ok"),
        ("secret.get", reference, "intent"),
        ("secret.get", reference, "ok"),
    ]
    assert CANARY not in "".join(path.read_text() for path in log.folder.glob("*.jsonl"))
    assert shelf.calls == ["put", "get"]
    assert [e.detail["decided_by"] for e in log.events() if e.outcome == "ok" and e.seq > 1] == ["role test"] * 2


def test_audited_get_that_fails_is_recorded_as_failed(parts):
    _, log, store = parts
    with pytest.raises(NotFoundError):
        store.get("nothing")
    last = list(log.events())[-1]
    assert (last.outcome, last.detail["error"]) == ("failed", "NotFoundError")


@pytest.mark.parametrize(
    ("method", "arguments", "options"),
    [
        ("promote", ("n", "2"), {"expect": "1"}),
        ("unstage", ("n", "pending"), {}),
        ("expire", ("n", datetime(2030, 1, 1, tzinfo=UTC)), {}),
        ("mark_due", ("n", None), {}),
        ("adopt", ("n",), {}),
        ("delete", ("n",), {"recoverable": False}),
        ("restore", ("n",), {}),
    ],
)
def test_audited_change_is_recorded_before_and_after(parts, method, arguments, options):
    shelf, log, store = parts
    getattr(store, method)(*arguments, **options)
    assert shelf.calls == [method]
    assert [e.outcome for e in log.events()][1:] == ["intent", "ok"]


def test_audited_access_that_cannot_be_recorded_does_not_happen(parts):
    shelf, log, store = parts
    log.record("a", "b", "ok")
    next(log.folder.glob("*.jsonl")).unlink()
    with pytest.raises(AuditError):
        store.put("n", Secret(b"x" * 8), token=TOKEN)
    assert shelf.calls == []


@pytest.mark.parametrize(("ask", "action"), [("describe", "secret.describe"), ("list", "secret.list")])
def test_audited_refusal_to_tell_about_secrets_is_recorded_as_denied(parts, ask, action):
    shelf, log, store = parts

    def refuse(*_):
        raise AccessDeniedError("not yours")

    setattr(shelf, ask, refuse)
    with pytest.raises(AccessDeniedError):
        list(getattr(store, ask)("shop/"))
    (event,) = [event for event in log.events() if event.action == action]
    assert (event.outcome, "shop/" in event.object) == ("denied", True)
