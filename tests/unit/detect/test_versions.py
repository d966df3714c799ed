"""Versions of a file are matched as if each were scanned whole."""

import random

import pytest

from hygiene.detect.compile import pattern_of_hint
from hygiene.detect.encodings.prefilter import hints
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.match import MAX_WIDTH, Pattern
from hygiene.detect.reach import barrier_end, barrier_start, far_words, is_barrier
from hygiene.detect.registry import load_engine
from hygiene.detect.rulefolders import RuleChoice
from hygiene.detect.sources.protocol import Kin
from hygiene.detect.versions import Versions
from tests.unit.detect.sample import PASSWORD, TOKEN, token

_HEAD, _TAIL = (b"-----%s PRIVATE KEY-----" % word for word in (b"BEGIN", b"END"))
BLOCK = Pattern(
    "block", "", "high", "high", _HEAD + rb"[A-Za-z0-9+/=\s]{20,}" + _TAIL, MAX_WIDTH, keywords=(b"private key",)
)
GENERIC = PASSWORD._replace(id="generic", pattern=rb"(?i:pass|key)[\w-]*\s*[:=]\s*[\"'][^\s\"']{3}", generic=True)
PATTERNS = (TOKEN, PASSWORD, BLOCK, GENERIC, *map(pattern_of_hint, hints((b"tok_",))))


def piece(draw: random.Random) -> bytes:
    """Give text of some kind: code, a leak, half of one, encoded, wrapped, wide, long, or empty lines."""
    word = b"".join(draw.choice([b"value", b"pass", b"of ", b"key", b"= ", b'"', b"\r", b"\t"]) for _ in range(12))
    kinds = (
        word + b"\n",
        b"key = '" + token(draw.randrange(9)) + b"'\n",
        b"password\n  =\n\n  'hunter%dxyz'\r\n" % draw.randrange(99),
        _HEAD + b"\n" + b"MIIEpAIBAAKCAQEA" * draw.randrange(2, 90) + b"\n",
        _TAIL + b"\n",
        b"data: " + b"dG9rXw" * draw.randrange(2, 40) + b"==\n",
        token(3).decode().encode("utf-16-le"),
        b'"tok_" +\n   "abcdefgh"\n',
        bytes(draw.randrange(256) for _ in range(40)),
        b"x" * draw.randrange(3000) + b" ",
        b"\n" * draw.randrange(30),
    )
    return draw.choice(kinds)


def text(draw: random.Random, pieces: int) -> bytes:
    return b"".join(piece(draw) for _ in range(pieces))


def changed(draw: random.Random, data: bytes) -> tuple[bytes, list[tuple[int, int, int]]]:
    """Give a version of ``data``, and what it has in common with it."""
    cuts = sorted(draw.randrange(len(data) + 1) for _ in range(2 * draw.randrange(1, 5)))
    parts, copies, size = [], [], 0
    for low, high in zip([0, *cuts[1::2]], [*cuts[::2], len(data)], strict=True):
        copies.append((size, high - low, low))
        parts += [data[low:high], text(draw, draw.randrange(4)) if draw.random() < 0.7 else b""]
        size += len(parts[-2]) + len(parts[-1])
    return b"".join(parts), [copy for copy in copies if copy[1]]


def compare(engine: HyperscanEngine, seed: int, pieces: int) -> None:
    draw, versions = random.Random(seed), Versions(engine)
    data, kin = text(draw, pieces), Kin(0)
    for number in range(1, 8):
        assert versions.matches(data, kin) == engine.matches(data)
        data, copies = changed(draw, data)
        kin = Kin(number, number - 1, copies)


@pytest.fixture(scope="module")
def engine() -> HyperscanEngine:
    return HyperscanEngine(PATTERNS, compile_database(PATTERNS))


@pytest.mark.parametrize("seed", range(40))
def test_versions_match_like_whole_blobs(engine, seed):
    compare(engine, seed, 10 + 4 * seed)


@pytest.mark.slow
def test_versions_match_like_whole_blobs_with_all_rules(tmp_path):
    engine = load_engine(RuleChoice(()), tmp_path, kind="hyperscan").engine
    for seed in range(300):
        compare(engine, seed, 5 + seed)


def test_versions_scan_only_what_changed(engine, monkeypatch):
    data = b"".join(b"line %d of a file\n" % number for number in range(2000))
    versions = Versions(engine)
    versions.matches(data, Kin("old"))
    scanned = []
    events = engine.events
    monkeypatch.setattr(engine, "events", lambda text: scanned.append(len(text)) or events(text))
    new = data[:20000] + b"new\n" + data[20000:]
    versions.matches(new, Kin("new", "old", ((0, 20000, 0), (20004, len(data) - 20000, 20000))))
    assert sum(scanned) < 4000


def test_far_words_are_those_of_patterns_that_span_any_text():
    assert far_words(PATTERNS) == (b"private key",)


def test_far_words_pattern_without_words_is_refused():
    with pytest.raises(ValueError, match="block"):
        far_words((BLOCK._replace(keywords=()),))


def test_barrier_long_line_is_none():
    assert not is_barrier(b"x" * 4000)
    assert barrier_end(b"x" * 4000, 0, 4000) == -1
    assert barrier_start(b"x" * 9000, 9000) == 0
