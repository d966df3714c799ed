"""Versions of a file are matched as if each were scanned whole."""

import random
from collections.abc import Callable

import pytest

from hygiene.detect.compile import pattern_of_hint, patterns_from_rules
from hygiene.detect.encodings.prefilter import hints
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.examine import Examiner
from hygiene.detect.match import MAX_WIDTH, Hit, Match, Pattern
from hygiene.detect.reach import barrier_end, barrier_start, far_words, is_barrier
from hygiene.detect.registry import load_engine
from hygiene.detect.rulefolders import RuleChoice
from hygiene.detect.rules import load_rules
from hygiene.detect.sources.protocol import Blob, Kin
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


def changed(draw: random.Random, data: bytes, new: Callable[[int], bytes]) -> tuple[bytes, list[tuple[int, int, int]]]:
    """Give a version of ``data``, and what it has in common with it."""
    cuts = sorted(draw.randrange(len(data) + 1) for _ in range(2 * draw.randrange(1, 5)))
    parts, copies, size = [], [], 0
    for low, high in zip([0, *cuts[1::2]], [*cuts[::2], len(data)], strict=True):
        copies.append((size, high - low, low))
        parts += [data[low:high], new(draw.randrange(4)) if draw.random() < 0.7 else b""]
        size += len(parts[-2]) + len(parts[-1])
    return b"".join(parts), [copy for copy in copies if copy[1]]


def blob(data: bytes) -> Blob:
    return Blob("", data, "")


def matches(versions: Versions, data: bytes, kin: Kin) -> list[Match]:
    """Give the matches in ``data`` that are to be judged."""
    found: list[Match] = []

    def examine(_blob: Blob, here: list[Match]) -> list[Hit]:
        found.extend(here)
        return []

    versions.hits(blob(data), kin, examine)
    return found


def compare(engine: HyperscanEngine, seed: int, pieces: int) -> None:
    draw, versions = random.Random(seed), Versions(engine)
    data, kin = text(draw, pieces), Kin(0)
    for number in range(1, 8):
        assert matches(versions, data, kin) == engine.matches(data)
        data, copies = changed(draw, data, lambda count: text(draw, count))
        kin = Kin(number, number - 1, copies)


def leak(draw: random.Random) -> bytes:
    """Give a line that the classifier has to decide on; few of them hold a credential, some only in some files."""
    value = "".join(
        draw.choice("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789") for _ in range(draw.choice([8, 12, 20, 32]))
    )
    name = draw.choice(["password", "api_key", "token", "key", "self.key", "dbPassword", "auth"])
    some = draw.choice([value, "hunter2", "changeme", "os.environ", "", "a b", value * 9])
    forms = (
        f"{name} = '{some}'\n", f"  {name}: {some}\n", f"{name} =\n    '{some}'\n", f"f({name}, \"{some}\")\n",
        f'{{"{name}": "{some}", "{name}2": "{value}"}}\n', f"curl -u user:{some} https://u:{some}@host/\n",
        f'"kty": "RSA", "d": "{value * 2}",\n', f"Authorization: Basic {some}\n", f"// {name} of {some}\n",
        f"<{name}>{some}</{name}>" * draw.choice([1, 9]) + "\n", f"{name}={some}", "-----BEGIN RSA PRIVATE KEY-----\n",
        "-----END RSA PRIVATE KEY-----\n", "'quoted'\n", "\n", "x = 1\n" * draw.randrange(90), f"{some}\n",
    )  # fmt: skip
    return draw.choice(forms).encode()


def compare_hits(engine: HyperscanEngine, seed: int, pieces: int) -> int:
    """Compare what is found in version after version with what is found in each alone; give how much that was."""
    draw, found = random.Random(seed), 0
    known, alone = (Examiner(engine, lambda: b"k" * 32, "low") for _ in range(2))
    stock = [leak(draw) for _ in range(max(3, pieces // 3))]  # so that lines come again

    def lines(count: int) -> bytes:
        return b"".join(draw.choice(stock) if draw.random() < 0.7 else leak(draw) for _ in range(count))

    data, kin = lines(pieces), Kin(0)
    for number in range(1, 8):
        hits = alone.examine(blob(data))
        assert known.examine(blob(data)._replace(kin=kin)) == hits
        found += len(hits)
        data, copies = changed(draw, data, lines)
        kin = Kin(number, number - 1, copies)
    return found


@pytest.fixture(scope="module")
def engine() -> HyperscanEngine:
    return HyperscanEngine(PATTERNS, compile_database(PATTERNS))


@pytest.fixture(scope="module")
def generic_engine() -> HyperscanEngine:
    patterns = tuple(pattern for pattern in patterns_from_rules(load_rules()) if pattern.generic)
    return HyperscanEngine(patterns, compile_database(patterns))


@pytest.mark.parametrize("seed", range(40))
def test_versions_match_like_whole_blobs(engine, seed):
    compare(engine, seed, 10 + 4 * seed)


@pytest.mark.slow
def test_versions_match_like_whole_blobs_with_all_rules(tmp_path):
    engine = load_engine(RuleChoice(()), tmp_path, kind="hyperscan").engine
    for seed in range(300):
        compare(engine, seed, 5 + seed)


def test_versions_give_the_hits_of_whole_blobs(generic_engine):
    assert sum(compare_hits(generic_engine, seed, 20 + 6 * seed) for seed in range(12)) > 100


@pytest.mark.slow
def test_versions_give_the_hits_of_whole_blobs_with_all_rules(tmp_path):
    engine = load_engine(RuleChoice(()), tmp_path, kind="hyperscan").engine
    assert sum(compare_hits(engine, seed, 20 + 3 * (seed % 90)) for seed in range(300)) > 1000


def test_versions_scan_only_what_changed(engine, monkeypatch):
    data = b"".join(b"line %d of a file\n" % number for number in range(2000))
    versions = Versions(engine)
    matches(versions, data, Kin("old"))
    scanned = []
    events = engine.events
    monkeypatch.setattr(engine, "events", lambda text: scanned.append(len(text)) or events(text))
    new = data[:20000] + b"new\n" + data[20000:]
    matches(versions, new, Kin("new", "old", ((0, 20000, 0), (20004, len(data) - 20000, 20000))))
    assert sum(scanned) < 4000


def test_far_words_are_those_of_patterns_that_span_any_text():
    assert far_words(PATTERNS) == (b"private key",)


def test_far_words_of_the_built_in_rules_are_rare():
    words = far_words(patterns_from_rules(load_rules()))
    assert words
    assert not {b"key", b"token", b"secret", b"pass", b"api"}.intersection(words)


def test_far_words_pattern_without_words_is_refused():
    with pytest.raises(ValueError, match="block"):
        far_words((BLOCK._replace(keywords=()),))


def test_barrier_long_line_is_none():
    assert not is_barrier(b"x" * 4000)
    assert barrier_end(b"x" * 4000, 0, 4000) == -1
    assert barrier_start(b"x" * 9000, 9000) == 0
