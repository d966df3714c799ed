"""What the classifier believes and is nothing all the same."""

from __future__ import annotations

import random
import string
from base64 import b64encode

import pytest

from hygiene.detect.generic import candidates
from hygiene.detect.guess_reject import is_refuted

HEX = "".join(random.Random(5).choices("0123456789abcdef", k=64))
LOWER = "".join(random.Random(6).choices(string.ascii_lowercase + string.digits, k=25))
UUID = f"{HEX[:8]}-{HEX[8:12]}-4{HEX[13:16]}-a{HEX[17:20]}-{HEX[20:32]}"


def refuted(text: str, path: str) -> set[bool]:
    data = text.encode()
    found = candidates(data, path, range(1, len(data) + 1))
    assert found
    return {is_refuted(data, path, candidate) for candidate in found}


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("oidClientAuth = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}", "x.go"),
        (f'"keyid": "{HEX}"', "root.json"),
        ('"x-tuf-on-ci-keyowner": "@somebody678"', "root.json"),
        (f"- buf.build/googleapis/googleapis:{HEX[:32]}", "buf.yaml"),
        (f'SecretID: "{LOWER}"', "api.yaml"),
        ('val oldKeystore = "oldKs8.jks"', "x.scala"),
        (f'token = "config://{LOWER}"', "x.go"),
        (f'var key = Guid.Parse("{UUID}");', "x.cs"),
        (f'const expiringKeyHex = "988d04533a52bc{HEX}{HEX}"', "x.go"),
        ("keys: 301306072a8648ce3d020106082a8648ce3d030107", "x.go"),
        (f'$encrypted = "eyJpdiI6{HEX}"', "x.php"),
        (f"password: {encoded('password')}", "secret.yml"),
        (f"tls.key: {encoded('TESTKEY1')}", "secret.yml"),
        (f"authorization: 'Basic {encoded('user:password')}'", "x.js"),
        (f'"second_key": "{UUID}"', "state.json"),
        (f'assertEqual(cache_key, "{HEX[:8]}")', "x.py"),
        ("access_key: A1B2C3D4E5F6G7H8I9J0", "x.yml"),
        (f"tls.key: {encoded('-----BEGIN PRIVATE KEY-----' + chr(10) + '-----END PRIVATE KEY-----')}", "secret.yml"),
        ('put("OTEL_ATTRIBUTES", "key=T%C5%8Dky%C5%8D")', "x.java"),
        (f'{{"key": "{encoded("key1")}"}}', "x.json"),
        (f'ENC_KEY="{encoded("01234567890123456789")}"'.replace('="', '"').replace('KEY"', 'KEY="'), "x.sh"),
        ("docker run --init --user linuxbrew", "x.sh"),
        (f"googleapi_commit={HEX[:40]}", "x.sh"),
        ("authType_index = {0, 7, 16, 25, 36, 46, 61, 67, 75}", "x.go"),
        ("ein Passwort anzuzeigen.", "auth.md"),
        (f'L.stylesheetToken="lwc-{LOWER[:11]}"', "x.js"),
        (f'"encrypted_key": "{LOWER}{HEX}"', "x.json"),
        (f'"SessionToken": "AQoD{HEX}EXAMPLE{HEX}"', "x.py"),
        (
            f"//# sourceMappingURL=data:application/json;base64,{encoded('{' + chr(34) + 'version' + chr(34) + ':3,')}",
            "x.js",
        ),
        (f'FAKE_SECRET_ID = "{LOWER}"', "x.py"),
        (f'api_token = "{LOWER}?{LOWER}"', "x.py"),
        ("<https://github.com/a/b/commits?author=ujjwalsh>", "README.md"),
        (f'token = "xoxp-1234-1234-1234-{HEX[:32]}"', "x.py"),
        (f'key_down_event = "{LOWER}"', "x.py"),
        (f'"key_name": "prod-{LOWER}"', "x.json"),
        (f'publicToken = "{LOWER}"', "x.py"),
        (f"rapidstring = '{LOWER}'", "x.py"),
        (f'token = "xoxp-{HEX[:12]}-####################"', "x.py"),
        ("\0\0\1 Pw=y\x81\x02b3kQ9", "banner.png"),
    ],
)
def test_is_refuted_shape_of_something_else_is(text, path):
    assert refuted(text, path) == {True}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("secretKey = {1, 3, 206, 99, 51, 251, 7, 183, 212}", "x.cs"),
        (f'"key": "{HEX}"', "root.json"),
        (f'secret_id: "{HEX}"', "api.yaml"),
        (f'var token = Encoding.GetBytes("{UUID}");', "x.cs"),
        (f"password: {encoded('kGOx' + LOWER)}", "secret.yml"),
        (f'SAUCE_ACCESS_KEY: "{UUID}"', "ci.yml"),
        (f"authorization: 'Basic {encoded('user:' + LOWER)}'", "x.js"),
        ("requirepass foobaredly", "redis.conf"),
        ("password: hunter2", "notes.md"),
    ],
)
def test_is_refuted_credential_is_not(text, path):
    assert refuted(text, path) == {False}


def test_is_refuted_user_of_an_address_is_no_option():
    data = b"see redis://user:word@host:6379/8 there"
    flags = [found for found in candidates(data, "x.java", range(1, len(data) + 1)) if found.kind == "flag"]
    assert flags
    assert all(is_refuted(data, "x.java", flag) for flag in flags)


def test_is_refuted_id_of_an_object_near_a_name_is():
    assert True in refuted(f"client.api.update_node(node_id='{LOWER}')", "x.py")


def test_is_refuted_password_that_a_person_chose_is_not():
    assert refuted(f'db_password = "{LOWER}?{LOWER}"', "x.py") == {False}
