import copy
import json
import logging
import pickle
import traceback

import pytest

from hygiene.secret import Secret

VALUE = "correct-horse" + "-battery-staple-0042"


@pytest.fixture
def secret() -> Secret:
    return Secret.from_text(VALUE)


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, "{:>60}".format, lambda s: f"{s!r}{s}", lambda s: repr([{"a": s}])]
)
def test_secret_shown_in_any_way_keeps_its_value(secret, show):
    assert VALUE[:6] not in show(secret)


def test_secret_in_a_log_record_keeps_its_value(secret, caplog):
    logging.getLogger("x").warning("value %s %r", secret, secret)
    assert VALUE[:6] not in caplog.text


def test_secret_in_a_traceback_with_locals_keeps_its_value(secret):
    def fail(argument):
        raise ValueError(argument)

    try:
        fail(secret)
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert VALUE[:6] not in shown


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, hash, vars])
def test_secret_leaving_by_a_side_door_is_refused(secret, leave):
    with pytest.raises(TypeError):
        leave(secret)


def test_secret_assigned_to_is_refused(secret):
    with pytest.raises(AttributeError):
        secret._value = b"other"


def test_secret_made_from_text_is_refused():
    with pytest.raises(TypeError):
        Secret("text")


@pytest.mark.parametrize("length", [0, 1, 4, 8, 19])
def test_redacted_short_value_shows_at_most_a_fifth(length):
    shown = Secret(b"abcdefghijklmnopqrst"[:length]).redacted().split("…")[0]
    assert len(shown) <= length / 5


def test_redacted_control_bytes_are_not_printed():
    assert Secret(b"\x1b[31m" + bytes(40)).redacted() == "?[31… (45 bytes)"


def test_equality_compares_values_and_text_round_trips_any_byte():
    every = bytes(range(256))
    assert Secret.from_text(every.decode("utf-8", "surrogateescape")) == Secret(every)
    assert Secret(b"a") != Secret(b"b")
    assert Secret(b"a") != b"a"
