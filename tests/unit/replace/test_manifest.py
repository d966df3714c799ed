"""The reference manifest: what it accepts, what it refuses and where it says so."""

import pytest

from hygiene.errors import ConfigError
from hygiene.reference import Reference
from hygiene.replace.manifest import merge_manifest, parse_manifest, read_manifest

DB = Reference("embedded", "shop/db-password")
MAIL = Reference("awssecrets", "shop/mail", (("region", "eu-west-1"),), "password")


def test_manifest_written_then_read_gives_the_same_references():
    text = merge_manifest(b"", {"MAIL_PASSWORD": MAIL, "DB_PASSWORD": DB})
    assert parse_manifest(text) == {"DB_PASSWORD": DB, "MAIL_PASSWORD": MAIL}
    assert text.startswith(b"#")


def test_manifest_merged_twice_does_not_change():
    once = merge_manifest(b"", {"DB_PASSWORD": DB})
    assert merge_manifest(once, {"DB_PASSWORD": DB}) == once


def test_manifest_merged_keeps_comments_order_and_line_ends():
    text = b'# ours\r\nZ = "ref+embedded://z"  # last\r\nDB_PASSWORD = "ref+embedded://old"\r\n'
    merged = merge_manifest(text, {"DB_PASSWORD": DB, "A": MAIL})
    assert merged.startswith(b'# ours\r\nZ = "ref+embedded://z"  # last\r\nDB_PASSWORD = "ref+embedded://shop/db-pass')
    assert merged.endswith(b'A = "ref+awssecrets://shop/mail?region=eu-west-1#/password"\r\n')
    assert merged.count(b"\n") == merged.count(b"\r\n") == 4


def test_manifest_without_final_newline_gets_one_before_an_addition():
    assert merge_manifest(b'A = "ref+embedded://a"', {"B": DB}).count(b"\n") == 2


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ('A = "ref+embedded://a"\nPATH = "ref+embedded://b"\n', 2, "programs start"),
        ('\nLD_PRELOAD = "ref+embedded://b"\n', 2, "programs start"),
        ('pythonpath = "ref+embedded://b"\n', 1, "programs start"),
        ('A = "ref+embedded://a"\n\nB = 3\n', 3, "not a string"),
        ("A = 1\n[B]\nc = 1\n", 1, "not a string"),
        ('[B]\nc = "ref+embedded://a"\n', 1, "a table"),
        ('"a b" = "ref+embedded://a"\n', 1, "not an environment name"),
    ],
)
def test_manifest_with_a_wrong_entry_names_its_line(text, line, word):
    with pytest.raises(ConfigError) as caught:
        parse_manifest(text.encode())
    assert f"line {line}:" in caught.value.message
    assert word in caught.value.message


def test_manifest_with_a_pasted_value_does_not_repeat_it():
    pasted = "hunter" + "2secret"
    with pytest.raises(ConfigError) as caught:
        parse_manifest(f'\nA = "{pasted}"\n'.encode())
    assert "line 2" in caught.value.message
    assert pasted not in caught.value.message + caught.value.hint


def test_manifest_that_is_not_toml_or_utf8_is_an_error():
    for text in (b"A = ", b'A = "ref+embedded://\xff"\n'):
        with pytest.raises(ConfigError, match="line"):
            parse_manifest(text)


def test_manifest_absent_is_empty(tmp_path):
    assert read_manifest(tmp_path / "secrets.toml") == {}
