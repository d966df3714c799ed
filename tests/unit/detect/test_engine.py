import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.engine_re import ReEngine
from hygiene.detect.match import Pattern
from hygiene.errors import ConfigError
from tests.unit.detect.sample import PATTERNS, TOKEN, token

HYPERSCAN = HyperscanEngine(PATTERNS, compile_database(PATTERNS))
RE = ReEngine(PATTERNS)
PIECES = st.sampled_from(
    [b"tkn_", b"passwd=", b"Password: ", b"chk-", b"01234567890", b"\n", b" ", b"a1B2c3D4e5F6", b"'", b"\xff"]
)


def secrets(engine, data):
    return [data[match.secret_start : match.secret_end] for match in engine.matches(data)]


@pytest.mark.parametrize("engine", [HYPERSCAN, RE], ids=["hyperscan", "re"])
def test_engine_neighbours_that_share_a_separator_finds_each(engine):
    values = [token(seed) for seed in range(3)]
    assert secrets(engine, b" ".join(values)) == values


@pytest.mark.parametrize("engine", [HYPERSCAN, RE], ids=["hyperscan", "re"])
def test_engine_secret_at_the_borders_of_the_data_is_found(engine):
    assert secrets(engine, token(1)) == [token(1)]


@pytest.mark.parametrize("engine", [HYPERSCAN, RE], ids=["hyperscan", "re"])
def test_engine_longer_word_is_no_match(engine):
    assert secrets(engine, token(1) + b"x") == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.builds(token, st.integers(0, 9))), max_size=40).map(b"".join))
def test_engines_any_text_give_the_same_matches(data):
    assert HYPERSCAN.matches(data) == RE.matches(data)


def test_hyperscan_engine_million_matches_keeps_no_list_of_ends():
    data = b"password=" + b"x" * 64
    engine = HyperscanEngine(PATTERNS, compile_database(PATTERNS))
    seen = 0
    original = engine._on_match

    def counting(*arguments):
        nonlocal seen
        seen = max(seen, *(len(runs) for runs in engine._ends.values()), 0) if engine._ends else seen
        return original(*arguments)

    engine._on_match = counting
    engine.matches(data)
    assert seen == 2


def test_compile_database_refused_pattern_names_its_rule():
    bad = Pattern("bad-rule", "", "low", "low", rb"(?<=a)b", 1)
    with pytest.raises(ConfigError, match="bad-rule"):
        compile_database((TOKEN, bad))
