"""Candidates: where a value begins and ends, and what names it."""

import pytest

from hygiene.detect.generic import Candidate, candidates

VALUE = "Vx7" + "qRt9" + "Lm2z"


def found(text: str, at: str = VALUE, path: str = "a.txt") -> list[tuple[str, str, str]]:
    data = text.encode()
    return [
        (c.kind, data[c.name_start : c.name_end].decode(), data[c.start : c.end].decode())
        for c in candidates(data, path, [data.index(at.encode())])
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("password = '{}'", "password"),
        ('"db_password": "{}",', "db_password"),
        ("DB_PASSWORD={}", "DB_PASSWORD"),
        ("  password: {}  # the real one", "password"),
        ('const val apiToken: String = "{}"', "apiToken"),
        ('password = Some("{}"),', "password"),
        ('AccessKeyId: aws.String("{}"),', "AccessKeyId"),
        ("<password>{}</password>", "password"),
        ("my $secret = q{{}};".replace("{}", "{{}}").replace("{{}}", "{}"), "$secret"),
        ("$password => '{}'", "$password"),
        ('{{\\"token\\": \\"{}\\"}}'.replace("{{", "{").replace("}}", "}"), "token"),
        ("alter user sys identified by {};", "identified by"),
        ("**password**: {}", "password"),
        ("fill_in :password, with: '{}'", "password"),
        ("const tokens = ['{}', 'other'];", "tokens"),
        ("- name: DB_PASSWORD\n  value: {}\n", "DB_PASSWORD"),
        ('- name: "DB_PASSWORD"\n  value: "{}"\n', "DB_PASSWORD"),
        ('{{"name": "API_TOKEN",\n "value": "{}"}}'.replace("{{", "{").replace("}}", "}"), "API_TOKEN"),
        ("<key>apiToken</key>\n\t<string>{}</string>\n", "apiToken"),
        ('$token .= "{}";', "$token"),
        ("$token ??= '{}';", "$token"),
    ],
)
def test_candidates_assignment_spans_the_value_alone(text, name):
    assert ("assign", name, VALUE) in found(text.replace("{}", VALUE))


def test_candidates_place_of_an_element_on_three_lines_is_its_closing_tag():
    text = f"<list>\n<password>\n    {VALUE}\n</password>\n</list>\n"
    assert ("assign", "password", VALUE) in found(text, "password>\n</list")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("url: postgres://user:{}@db.internal:5432/shop", "url"),
        ("smtps://user@mail.test:{}@smtp.test:465", "url"),
        ("Authorization: Bearer {}", "header"),
        ("curl -u admin:{} https://host", "flag"),
        ("curl --user admin:'{}' https://host", "flag"),
    ],
)
def test_candidates_other_kinds_span_the_value_alone(text, kind):
    assert (kind, VALUE) in {(k, v) for k, _, v in found(text.replace("{}", VALUE))}


def test_candidates_padded_base64_without_quotes_is_no_type():
    assert ("assign", "password", "kGOxf9bizqI=") in found("  password: kGOxf9bizqI=  # as it is\n", "kGOxf9")


def test_candidates_option_is_not_the_value_of_another():
    assert ("flag", VALUE) in {(k, v) for k, _, v in found(f'curl -k --user "admin:{VALUE}" https://host')}


def test_candidates_password_of_a_connection_string_ends_where_the_next_pair_begins():
    text = f'UseSqlServer("Server=db;User ID=sa;Password={VALUE};Persist Security Info=true;");'
    assert ("assign", "Password", VALUE) in found(text)


def test_candidates_name_is_not_that_of_the_line_before():
    text = 'auth = Auth(password="password123")\n    app = Digest(qop=qop)\n'
    assert "qop=qop" not in {value for _, _, value in found(text, "password123")}


def test_candidates_value_on_the_next_line_is_found():
    assert ("assign", "CLIENT_SECRET", VALUE) in found(f'CLIENT_SECRET =\n    "{VALUE}";\n')


def test_candidates_json_web_key_gives_the_private_member():
    text = f"kty: 'EC',\n  crv: 'P-256',\n  d: '{VALUE * 4}',\n"
    data = text.encode()
    kinds = {(c.kind, data[c.start : c.end].decode()) for c in candidates(data, "a.js", [2])}
    assert ("jwk", VALUE * 4) in kinds


def test_candidates_key_block_is_one_candidate():
    block = "-----BEGIN EC " + "PRIVATE KEY-----\n" + "QUJD" * 16 + "\n-----END EC " + "PRIVATE KEY-----"
    data = f"key = '''{block}'''\n".encode()
    spans = [data[c.start : c.end].decode() for c in candidates(data, "a.py", [20]) if c.kind == "key-block"]
    assert spans == [block]


def test_candidates_long_line_reads_only_around_the_hit():
    data = b"x" * 50_000 + f" password='{VALUE}' ".encode() + b"token='aaaa' " * 5000
    result = candidates(data, "a.min.js", [data.index(VALUE.encode())])
    assert len(result) < 100


def test_candidates_two_hits_on_a_line_give_each_span_once():
    data = f"password={VALUE} token={VALUE}".encode()
    result = candidates(data, "a.sh", [3, 20, 21, 30])
    assert len({(c.start, c.end) for c in result}) == len(result)


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"password=", b'password="', b"\xff\xfe" * 50, b"password=\\", b"://:@"]
)
def test_candidates_broken_input_gives_no_error(data):
    assert all(0 <= c.start <= c.end <= len(data) for c in candidates(data, "a", range(len(data))))


def test_candidate_is_a_plain_tuple():
    assert Candidate("assign", 1, 2, 0, 1)[1:3] == (1, 2)
