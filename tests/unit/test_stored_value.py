from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.errors import ProviderError
from hygiene.rotate.stored import Login, check_host, new_password, parse_login, parts_of, with_login
from hygiene.secret import Secret

NEW = "Fresh0Password"


@pytest.mark.parametrize(
    ("stored", "labels", "login"),
    [
        ("postgresql://app:pw@db:5433/shop", {}, Login("app", "pw", "db", 5433, "shop")),
        ("postgres://a%40b:p%2Fw@db/shop", {}, Login("a@b", "p/w", "db", 0, "shop")),
        ("postgresql+psycopg://app:pw@[::1]:5/", {}, Login("app", "pw", "::1", 5, "")),
        ("redis://:pw@cache", {}, Login("", "pw", "cache")),
        ("amqp://u:pw@mq/%2F?heartbeat=3", {}, Login("u", "pw", "mq", 0, "/", (("heartbeat", "3"),))),
        ('{"username": "u", "password": "pw", "port": 1}', {"host": "h"}, Login("u", "pw", "h", 1)),
        ('{"user": "u", "pass": "pw"}', {"user": "other"}, Login("u", "pw")),
        ("pw", {"user": "u", "host": "h", "port": "9"}, Login("u", "pw", "h", 9)),
        ("{not json", {}, Login("", "{not json")),
    ],
)
def test_login_is_read_from_every_form(stored: str, labels: dict[str, str], login: Login) -> None:
    assert parse_login(Secret.from_text(stored), labels)._replace(scheme="") == login


@pytest.mark.parametrize(
    ("stored", "changed"),
    [
        ("postgresql://app:pw@db:5433/shop?x=1#y", f"postgresql://app:{NEW}@db:5433/shop?x=1#y"),
        ("redis://:pw@cache", f"redis://:{NEW}@cache"),
        ('{"password": "pw", "other": [1, null]}', f'{{"password": "{NEW}", "other": [1, null]}}'),
        ('{\n  "pass": "pw"\n}', f'{{\n  "pass": "{NEW}"\n}}'),
        ("pw", NEW),
    ],
)
def test_new_password_keeps_the_form(stored: str, changed: str) -> None:
    assert with_login(Secret.from_text(stored), password=NEW).reveal().decode() == changed


def test_new_user_takes_its_place_in_a_url_and_an_object() -> None:
    url = with_login(Secret(b"postgresql://app_a:pw@db/shop"), user="app b", password=NEW)
    assert url.reveal().decode() == f"postgresql://app%20b:{NEW}@db/shop"
    fields = with_login(Secret(b'{"username": "a", "password": "p"}'), user="b", password=NEW)
    assert json.loads(fields.reveal()) == {"username": "b", "password": NEW}
    with pytest.raises(ProviderError, match="password alone"):
        with_login(Secret(b"pw"), user="b", password=NEW)


@given(user=st.text(min_size=1, max_size=20), password=st.text(min_size=1, max_size=40))
def test_any_login_written_into_a_url_is_read_back(user: str, password: str) -> None:
    made = with_login(Secret(b"postgresql://a:b@db:1/shop"), user=user, password=password)
    assert parse_login(made, {}) == Login(user, password, "db", 1, "shop", (), "postgresql")


@pytest.mark.parametrize("stored", [b"\xff\xfe", b"postgresql://app@db/shop", b'{"user": "u"}', b"x://u:p@h:99999/"])
def test_value_without_a_usable_login_is_an_error(stored: bytes) -> None:
    with pytest.raises(ProviderError):
        parse_login(Secret(stored), {})


def test_host_must_be_allowed() -> None:
    login = Login("u", "p", "db.internal", 0)
    assert check_host(login, ("db.internal",), "postgresql", 5432) == ("db.internal", 5432)
    assert check_host(login, ("db.internal:5432",), "postgresql", 5432) == ("db.internal", 5432)
    for allowed in ((), ("db.internal:1",), ("internal",)):
        with pytest.raises(ProviderError, match="allows"):
            check_host(login, allowed, "postgresql", 5432)


def test_parts_are_what_may_have_leaked_alone() -> None:
    assert [part.reveal() for part in parts_of(Secret(b"x://u:p%21w@h/"))] == [b"x://u:p%21w@h/", b"p%21w", b"p!w"]
    assert Secret(b"s1") in parts_of(Secret(b'{"id": "i1", "secret": "s1", "n": 3}'))
    assert parts_of(Secret(b"\xff")) == [Secret(b"\xff")]


def test_new_passwords_differ_and_have_three_classes() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(p.isalnum() and p.isascii() and p.upper() != p != p.lower() and len(p) == 40 for p in made)
