import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.errors import UsageError
from hygiene.reference import SCHEMES, Reference, check_name, find_references, parse_reference

NAMES = st.from_regex(r"[A-Za-z0-9._\-]{1,12}(/[A-Za-z0-9._\-]{1,12}){0,3}", fullmatch=True)


@given(st.sampled_from(SCHEMES), NAMES, st.sampled_from(["", "stage", "version"]), st.text(max_size=20))
def test_reference_written_and_parsed_is_the_same(scheme, path, parameter, field):
    query = ((parameter, "7 &=#"),) if parameter else ()
    reference = Reference(scheme, path, query, field)
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hunter2", "not a reference"),
        ("ref+embedded:/x", "not a reference"),
        ("ref+embeded://x", "unknown store"),
        ("ref+embedded://", "names no path"),
        ("ref+embedded://#/x", "names no path"),
    ],
)
def test_reference_that_is_none_says_why(text, message):
    with pytest.raises(UsageError, match=message):
        parse_reference(text)


@pytest.mark.parametrize("surround", [b'"%s"', b"'%s'", b"%s\n", b"a %s b", b"x=%s+tail", b"<a>%s</a>", b"%s\\n"])
def test_find_references_ends_where_the_surroundings_begin(surround):
    text = surround % b"ref+vault://secret/shop#/password"
    ((start, end, reference),) = find_references(text)
    assert reference == Reference("vault", "secret/shop", (), "password")
    assert text[start:end].removesuffix(b"+") == b"ref+vault://secret/shop#/password"


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "..", "a/../b", "a b", "ä", "a\n", "x" * 257])
def test_check_name_bad_name_is_refused(name):
    with pytest.raises(UsageError):
        check_name(name)


def test_stage_and_version_are_read_in_our_words_and_in_those_of_vals():
    assert parse_reference("ref+awssecrets://a?version_stage=x&version_id=y").stage == "x"
    assert parse_reference("ref+embedded://a?version=3").version == "3"
