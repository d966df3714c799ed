import random
import string

import pytest

from hygiene.detect.known import is_placeholder, is_reference

LETTERS = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    "value",
    [
        *("", "x", "xxxxxxxxxxxx", "ghp_" + "x" * 36, "AKIA" + "IOSFODNN7" + "EXAMPLE", "your_api_key", "<your-token>"),
        *(
            "sk-...abcd",
            "abcd****wxyz",
            "[REDACTED]",
            "changeme",
            "1234567890abcdef",
            "00000000-0000-0000-0000-000000000000",
        ),
        *(
            "123e4567-e89b-12d3-a456-426614174000",
            "abcabcabcabcabc",
            "d41d8cd98f00b204e9800998ecf8427e",
            "test",
            "None",
        ),
        *("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "REPLACE_WITH_TOKEN", "my-secret-token", "••••••••"),
    ],
)
def test_is_placeholder_value_that_holds_a_place_is_one(value):
    assert is_placeholder(value.encode())


@pytest.mark.parametrize("alphabet", [LETTERS, "0123456789abcdef", LETTERS + "-_", string.ascii_lowercase + "234567"])
@pytest.mark.parametrize("length", [20, 40, 100])
def test_is_placeholder_random_tokens_are_none(alphabet, length):
    source = random.Random(length)
    values = ["".join(source.choices(alphabet, k=length)).encode() for _ in range(3000)]
    assert sum(map(is_placeholder, values)) <= 3


def test_is_placeholder_token_with_a_short_sequence_inside_is_none():
    source = random.Random(6)
    value = "12345678" + "".join(source.choices(string.ascii_letters, k=32))
    assert not is_placeholder(value.encode())


@pytest.mark.parametrize(
    "value",
    [
        *(
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "$(pass show db)",
            "{{ db_password }}",
            "${{ secrets.TOKEN }}",
            "%PASSWORD%",
        ),
        *(
            "op://vault/item/field",
            "ref+vault://secret/data/x#/k",
            "arn:aws:secretsmanager:eu-west-1:1:secret:x",
            "<%= x %>",
        ),
        *("ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]", "$ANSIBLE_VAULT;1.1;AES256", "/run/secrets/db"),
        *(
            "{0}",
            "%s",
            "@PASSWORD@",
            "projects/p/secrets/s/versions/1",
            "!var prod/db",
            "{cipher}abc",
            "~/x",
            "${A:?unset}",
        ),
    ],
)
def test_is_reference_value_that_stands_for_another_is_one(value):
    assert is_reference(value.encode())


@pytest.mark.parametrize("value", ["hunter2", "${DB_PASSWORD:-hunter2}", "p$ssw0rd", "a{b}c", "100%sure", "q@b@c d"])
def test_is_reference_literal_is_none(value):
    assert not is_reference(value.encode())
