"""A value is found however it is written, at its place in the original bytes."""

import base64
import binascii
import json
import os
import re
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.detect.compile import pattern_of_hint
from hygiene.detect.encodings import radix
from hygiene.detect.encodings.prefilter import base64_images, hints
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.engine_re import ReEngine
from hygiene.detect.examine import Examiner
from hygiene.detect.findings import Accepted
from hygiene.detect.scan import scan
from hygiene.detect.sources.protocol import Blob
from tests.unit.detect.sample import PASSWORD, TOKEN, ListSource, token

RULES = (TOKEN, PASSWORD)
PATTERNS = (*RULES, *(pattern_of_hint(shape) for shape in hints([b"tkn_", b"passwd", b"password"])))
EXAMINERS = {
    "hyperscan": Examiner(HyperscanEngine(PATTERNS, compile_database(PATTERNS)), lambda: b"key", "low"),
    "re": Examiner(ReEngine(PATTERNS), lambda: b"key", "low"),
}
KEY = token(1)
TEXT = KEY.decode()


def hits(data):
    found = {name: examiner.examine(Blob("id", data, "path")) for name, examiner in EXAMINERS.items()}
    assert found["hyperscan"] == found["re"]
    return found["hyperscan"]


def b64(data):
    return base64.b64encode(data)


def wrapped(data, width, indent=b"", end=b"\n"):
    lines = [data[at : at + width] for at in range(0, len(data), width)]
    return end.join(indent + line for line in lines)


LONG = b"first = 1\nkey = '" + KEY + b"'\nlast = 2 and some more text that makes this several lines long\n" * 2


def _lines_of_hex(data):
    return b",\n  ".join(b", ".join(b"0x%02X" % byte for byte in data[at : at + 12]) for at in range(0, len(data), 12))


ENCODED = {
    "base64": (b'auth = "%s"' % b64(b"x=" + KEY), b64(b"x=" + KEY), "base64"),
    "base64 url": (b"auth: %s" % base64.urlsafe_b64encode(b"\xff?>>" + KEY), None, "base64"),
    "base64 unpadded": (b"auth: " + b64(b"ab " + KEY).rstrip(b"="), None, "base64"),
    "base64 wrapped": (b"data:\n" + wrapped(b64(LONG), 64) + b"\n", None, "base64"),
    "base64 wrapped and indented": (b"data: |\n" + wrapped(b64(LONG), 76, b"    ") + b"\n", None, "base64"),
    "base64 wrapped with CRLF": (b"data:\r\n" + wrapped(b64(LONG), 60, b"", b"\r\n"), None, "base64"),
    "base64 in a JSON string with line feeds": (b'{"a": "%s"}' % wrapped(b64(LONG), 64, b"", b"\\n"), None, "base64"),
    "base64 joined by a program": (b's = "' + wrapped(b64(LONG), 40, b"", b'" +\n    "') + b'"', None, "base64"),
    "base64 after a path": (b"GET /download/" + b64(b"user " + KEY + b" here"), None, "base64"),
    "base64 of base64": (b"a = " + b64(b"b = " + b64(b"cc = " + KEY)), None, "base64+base64"),
    "base64 of UTF-16": (b"powershell -enc " + b64(("password=" + TEXT).encode("utf-16-le")), None, "base64+utf-16"),
    "base32": (b"seed: " + base64.b32encode(b"ab " + KEY) + b"\n", None, "base32"),
    "base32 unpadded": (b"seed: " + base64.b32encode(b"abcd " + KEY).rstrip(b"="), None, "base32"),
    "base32 wrapped": (b"seed:\n" + wrapped(base64.b32encode(LONG), 76) + b"\n", None, "base32"),
    "base32 in base64": (b"x: " + b64(b"y = " + base64.b32encode(KEY) + b" "), None, "base64+base32"),
    "quoted-printable": (b"key =3D " + KEY.replace(b"_", b"=5F"), KEY.replace(b"_", b"=5F"), "quoted"),
    "quoted-printable over lines": (
        b"key: %s=\r\n%s=\r\n%s\r\n" % (KEY[:9], KEY[9:18], KEY[18:]),
        b"%s=\r\n%s=\r\n%s" % (KEY[:9], KEY[9:18], KEY[18:]),
        "quoted",
    ),
    "hex": (b"k = " + binascii.hexlify(KEY), binascii.hexlify(KEY), "hex"),
    "hex upper case": (b"k = " + binascii.hexlify(KEY).upper(), binascii.hexlify(KEY).upper(), "hex"),
    "hex escapes": (b'k = "%s"' % b"".join(b"\\x%02x" % byte for byte in KEY), None, "hex"),
    "hex array": (b"char k[] = {%s};" % b", ".join(b"0x%02X" % byte for byte in KEY), None, "hex"),
    "hex array on lines": (b"char k[] = {\n  %s};" % _lines_of_hex(KEY), None, "hex"),
    "percent": (b"https://x/?a=b%3D" + KEY.replace(b"_", b"%5F"), KEY.replace(b"_", b"%5F"), "percent"),
    "percent three times": (
        b"https://x/?u=" + quote(quote(TEXT.replace("_", "%5F"))).encode(),
        None,
        "percent+percent+percent",
    ),
    "entity": (b'<a key="x&#61;%s">' % KEY.replace(b"_", b"&#95;"), KEY.replace(b"_", b"&#95;"), "entity"),
    "hexadecimal entity": (b'<a key="%s">' % KEY.replace(b"_", b"&#x5F;"), None, "entity"),
    "JSON escape": (b'{"k": "%s"}' % KEY.replace(b"_", b"\\u005f"), KEY.replace(b"_", b"\\u005f"), "escape"),
    "braced escape": (b'k = "\\u003d%s"' % KEY.replace(b"_", b"\\u{5f}"), None, "escape"),
    "joined by plus": (b'k = "%s" + "%s"' % (KEY[:9], KEY[9:]), b'%s" + "%s' % (KEY[:9], KEY[9:]), "joined"),
    "joined over lines": (b"k = ('%s' +\n     '%s')" % (KEY[:9], KEY[9:]), None, "joined"),
    "joined with the sign in front": (b"k = '%s'\n  + '%s'" % (KEY[:9], KEY[9:]), None, "joined"),
    "joined by a dot": (b"$k = '%s' . '%s';" % (KEY[:9], KEY[9:]), None, "joined"),
    "joined side by side": (b'char *k = "%s" "%s";' % (KEY[:9], KEY[9:]), None, "joined"),
    "joined from four": (b'k = "%s" + "%s" + "%s" + "%s"' % (KEY[:7], KEY[7:12], KEY[12:20], KEY[20:]), None, "joined"),
    "continued line": (b"export K=%s\\\n%s" % (KEY[:9], KEY[9:]), b"%s\\\n%s" % (KEY[:9], KEY[9:]), "joined"),
    "joined and escaped": (b'k = "%s" + "%s"' % (KEY[:9].replace(b"_", b"\\u005f"), KEY[9:]), None, None),
    "UTF-16 with a mark": (("\ufeffkey = " + TEXT).encode("utf-16-le"), TEXT.encode("utf-16-le"), "utf-16"),
    "UTF-16 big endian with a mark": (("\ufeffkey = " + TEXT).encode("utf-16-be"), None, "utf-16"),
    "UTF-16 without a mark": (("ключ und key\n= " + TEXT).encode("utf-16-le"), TEXT.encode("utf-16-le"), "utf-16"),
    "UTF-16 big endian without a mark": (("key\n= " + TEXT).encode("utf-16-be"), TEXT.encode("utf-16-be"), "utf-16"),
    "UTF-16 inside a binary": (b"\x7fELF\x01\x02\x03" + TEXT.encode("utf-16-le") + b"\xff\xfe\x00", None, "utf-16"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_decode_encoded_value_is_found_at_its_place(name):
    data, encoded, encoding = ENCODED[name]
    (hit,) = hits(data)
    assert hit.secret == KEY
    if encoding:
        assert hit.encoding == encoding
    if encoded and encoding not in ("base64",):
        assert data[hit.start : hit.end] == encoded
    assert 0 <= hit.start < hit.end <= len(data)
    assert hit.line_start == data[: hit.start].count(b"\n") + 1
    assert hit.line_end == data[: hit.end].count(b"\n") + 1


@pytest.mark.parametrize("before", range(4))
def test_decode_base64_place_covers_just_the_value(before):
    text = b"=" * before + b" " + KEY + b" tail"
    data = b"auth: " + b64(text)
    (hit,) = hits(data)
    assert hit.start == 6 + (before + 1) * 8 // 6
    assert hit.end == 6 + -(-(before + 1 + len(KEY)) * 8 // 6)


@pytest.mark.parametrize("before", range(6))
def test_decode_base32_place_covers_just_the_value(before):
    text = b"=" * before + b" " + KEY + b" tail"
    data = b"auth: " + base64.b32encode(text)
    (hit,) = hits(data)
    assert hit.start == 6 + (before + 1) * 8 // 5
    assert hit.end == 6 + -(-(before + 1 + len(KEY)) * 8 // 5)


def test_decode_kubernetes_secret_gives_key_and_value():
    value = b"hunter" + b"2" * 6 + b"zq"
    data = b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\ndata:\n  password: %s\n  user: %s\n" % (
        b64(value),
        b64(b"administrator"),
    )
    (hit,) = hits(data)
    assert (hit.rule, hit.secret, hit.encoding) == (1, value, "base64")
    assert data[hit.start : hit.end] == b64(value).rstrip(b"=")
    assert hit.line_start == 6


def test_decode_kubernetes_secret_as_json_gives_the_value():
    manifest = {"kind": "Secret", "data": {"key": b64(b"-" + KEY).decode()}}
    (hit,) = hits(json.dumps(manifest, indent=2).encode())
    assert hit.secret == KEY


def test_decode_plain_value_beside_an_escape_is_reported_once_and_plain():
    (hit,) = hits(b'{"k": "%s", "x": "\\u003d"}' % KEY)
    assert hit.encoding == ""


def test_decode_other_kind_of_manifest_is_left_alone():
    data = b"kind: ConfigMap\ndata:\n  password: %s\n" % b64(b"hunter" + b"2" * 8)
    assert [hit.encoding for hit in hits(data)] in ([], [""])


def test_decode_random_bytes_give_nothing():
    assert hits(os.urandom(200_000)) == []
    assert hits(b64(os.urandom(200_000))) == []


def test_decode_bomb_of_nested_base64_ends():
    data = b"password=" + KEY
    for _ in range(20):
        data = b64(b"password " + data)
    assert hits(data) == []


@pytest.mark.parametrize(
    "part",
    [
        b'"aaaa" + "bbbb" %41%42%43%44%45%46 \\u0041 ',
        b"&#65;aa",
        "x".encode("utf-16-le"),
        b64(b"password") + b" ",
        b64(b"password is") + b"\n",
        b"A" * 20 + b'="\n',
    ],
)
def test_decode_blob_full_of_hints_costs_what_its_size_says(part, monkeypatch):
    """Twice the hints cost no more than about twice the bytes given to the engine: no hint is decoded over and over."""
    engine = HyperscanEngine(PATTERNS, compile_database(PATTERNS))

    def work(data):
        given = []
        counting = Examiner(engine, lambda: b"key", "low")
        monkeypatch.setattr(
            engine, "matches", lambda text: given.append(len(text)) or HyperscanEngine.matches(engine, text)
        )
        counting._matches = engine.matches
        counting.examine(Blob("id", data, "path"))
        return sum(given)

    small, large = work(part * 1000), work(part * 2000)
    assert large <= 2.2 * small + 1000


@given(st.binary(min_size=0, max_size=20), st.binary(min_size=0, max_size=20), st.integers(0, 3))
def test_decode_base64_place_decodes_to_the_value(before, after, shift):
    text = b"k" * shift + before.replace(b"\n", b" ") + b" " + KEY + b" " + after
    data = b"x: '" + b64(b"password secret token " + text) + b"'\n"
    found = [hit for hit in hits(data) if hit.secret == KEY]
    for hit in found:
        start = hit.start - (hit.start - 4) % 4
        assert KEY in base64.b64decode(data[start : hit.end + (4 - (hit.end - start)) % 4] + b"==")


@given(st.binary(min_size=4, max_size=12), st.binary(max_size=8), st.binary(max_size=8))
def test_base64_images_stand_in_every_encoding(word, before, after):
    encoded = base64.b64encode(before + word + after).decode()
    images = list(base64_images(word))
    assert not images or any(image in encoded for image in images) or len(images) < 3


@given(st.lists(st.integers(0, 5000), max_size=300), st.sampled_from([b"abcd efgh ", b"x" * 40, b"y" * 40 + b" "]))
def test_base64_values_search_no_byte_twice(places, filler):
    data = filler * (5000 // len(filler))
    searched = []

    class Counting:
        def search(self, text, position):
            match = re.compile(rb"[a-z]{20,}").search(text, position)
            searched.append((position, match.end() if match else len(text)))
            return match

    spans = list(radix._values(data, [(place, place + 4) for place in places], Counting()))
    assert all(before[1] <= after[0] for before, after in pairwise(searched))
    assert spans == sorted(set(spans))


def test_decode_finding_carries_a_tag_that_names_the_encoding():
    source = ListSource({"a": b"auth: " + b64(b"x=" + KEY), "b": KEY})
    findings = scan(source, EXAMINERS["hyperscan"], Accepted).findings
    assert [(finding.path, finding.tags) for finding in findings] == [("a", ("encoded:base64",)), ("b", ())]
