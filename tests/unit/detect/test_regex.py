import marshal
import re

import pytest

from hygiene.detect import kept, regex

PATTERNS = [
    (rb"(?P<name>a+)|(b)(?=c)", 0),
    (rb"(?i)pass(?:word)?\s*=\s*([^\s]{3,8})", 0),
    (rb"x . y  # spaced", re.VERBOSE | re.DOTALL),
    (rb"^[\x80-\xff]{2,}$", re.MULTILINE),
    (r"locale|\.(?:po|pot)$", re.IGNORECASE),
]
TEXTS = [b"aab bc", b"PASSWORD = hunter", b"x\ny", b"\n\xff\xfe\n", "x.PO LOCALE"]


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(kept, "_values", {})
    monkeypatch.setattr(kept, "missing", {})


@pytest.mark.parametrize(("pattern", "flags"), PATTERNS)
def test_regex_kept_finds_what_re_finds(pattern, flags):
    plain = re.compile(pattern, flags)
    regex.compile(pattern, flags)
    assert len(kept.missing) == 1
    kept.keep(kept.collected())
    ours = regex.compile(pattern, flags)
    assert not kept.missing
    assert (ours.pattern, ours.flags, ours.groups, ours.groupindex) == (
        plain.pattern, plain.flags, plain.groups, plain.groupindex,
    )  # fmt: skip
    for text in TEXTS:
        if isinstance(text, type(pattern)):
            assert [match.span() for match in ours.finditer(text)] == [match.span() for match in plain.finditer(text)]
            assert ours.sub(text[:1], text) == plain.sub(text[:1], text)


def test_regex_flags_are_those_of_re():
    for name in ("I", "M", "S", "X", "IGNORECASE", "MULTILINE", "DOTALL", "VERBOSE"):
        assert getattr(regex, name) == getattr(re, name)


def test_regex_kept_rubbish_is_compiled_anew():
    for rubbish in ((), (b"a", 0, [99999], 0, {}, (None,)), "text", 7):
        kept.keep(marshal.dumps({("regex", regex._VERSION, b"a", 0): rubbish}))
        assert regex.compile(b"a").findall(b"aa") == [b"a", b"a"]


def test_regex_of_another_python_is_compiled_anew(monkeypatch):
    regex.compile(b"a+")
    kept.keep(kept.collected())
    monkeypatch.setattr(regex, "_VERSION", "another")
    assert regex.compile(b"a+").findall(b"aab") == [b"aa"]
    assert kept.missing
