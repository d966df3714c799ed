import re
import time

import hyperscan
import pytest

from hygiene.detect.backtracking import check_pattern
from hygiene.detect.pattern import full_pattern
from hygiene.detect.syntax import parse_pattern, width

SOUND = [
    rb"ghp_[0-9A-Za-z]{36}",
    rb"(?i)abc",
    rb"(?i:api)[_.-]?key",
    rb"(?:[^-]|-[^-]){10,12000}",
    rb"(?:[^\n]{0,100}\n){0,4}x",
    rb"(?:foo|bar|foobar)x",
    rb"(?:a+b){3}",
    rb"[]a]b",
    rb"\x41\.\-[\w.-]{2,}",
]
HOSTILE = [rb"(a+)+b", rb"(a|a)*b", rb"(a|aa)+$", rb"(x+x+)+y", rb"(?:\w+\s?)*=", rb".*x.*y.*z", rb"(?:a?){30}a"]
FOREIGN = [
    rb"(?=a)b",
    rb"(?<!a)b",
    rb"(a)\1",
    rb"[[:alpha:]]",
    rb"a{,3}",
    rb"a**",
    rb"a++b",
    rb"\Qa\E",
    rb"\x{41}",
    rb"a(?i)b",
    rb"(?>a)b",
    rb"[a",
    rb"(a",
    rb"a)",
    rb"[z-a]",
    rb"x*",
]


@pytest.mark.parametrize("pattern", SOUND)
def test_check_pattern_sound_pattern_is_accepted_and_both_engines_compile_it(pattern):
    assert check_pattern(pattern) == ""
    re.compile(pattern)
    hyperscan.Database().compile(expressions=[pattern], ids=[0], flags=[0])


@pytest.mark.parametrize("pattern", [*HOSTILE, rb"(a|a)" * 30])
def test_check_pattern_pattern_that_backtracks_without_end_is_refused(pattern):
    assert check_pattern(pattern)


@pytest.mark.parametrize("pattern", FOREIGN)
def test_check_pattern_syntax_that_the_engines_do_not_share_is_refused(pattern):
    assert check_pattern(pattern)


def test_check_pattern_accepted_patterns_stay_fast_on_the_worst_text():
    text = b"circleci" + b"key" * 700
    pattern = full_pattern("[0-9a-f]{40}", context=["circle[_.-]?ci"], names=["cci_pat"])
    assert check_pattern(pattern) == ""
    started = time.perf_counter()
    assert re.search(pattern, text) is None
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [(rb"ab{2,3}c?", (3, 5)), (rb"a|bcd", (1, 3)), (rb"a+", (1, -1)), (rb"^a$", (1, 1)), (rb"(?:ab){2}", (4, 4))],
)
def test_width_gives_least_and_greatest_length(pattern, expected):
    assert width(parse_pattern(pattern)) == expected


BODY = "ghp_" + "a" * 36


@pytest.mark.parametrize(
    "before",
    ["", '"', "=", "https://", "\\n", "\\t", "%3D", "\\u003d", "\\x22", "\x1b[32m", "u:", "@"],
)
def test_full_pattern_token_after_a_border_is_found(before):
    pattern = full_pattern("ghp_[0-9A-Za-z]{36}")
    found = re.search(pattern, f"{before}{BODY}".encode())
    assert found
    assert found[1].decode() == BODY


@pytest.mark.parametrize("text", [f"x{BODY}", f"_{BODY}", f"-{BODY}", f"{BODY}a", f"n{BODY}"])
def test_full_pattern_token_inside_a_longer_word_is_not_found(text):
    assert re.search(full_pattern("ghp_[0-9A-Za-z]{36}"), text.encode()) is None


HEX = "0f" * 20
CONTEXTS = [
    f'CIRCLECI_TOKEN="{HEX}"',
    f"circleci_token: {HEX}",
    f'"circle-ci": {{\n  "token": "{HEX}"\n}}',
    f"- name: CIRCLECI_TOKEN\n  value: {HEX}",
    f'{{"name":"CIRCLECI_TOKEN","value":"{HEX}"}}',
    f"CircleCI-Token: {HEX}",
    f'var circleCiToken string = "{HEX}"',
    f"<circleciToken>\n    {HEX}\n</circleciToken>",
    f'client = CircleCI(api_key="{HEX}")',
    f"https://circleci.com/api?circle-token={HEX}",
    f'circleciToken => "{HEX}"',
    f'{{\\"circleci_token\\":\\"{HEX}\\"}}',
]


@pytest.mark.parametrize("text", CONTEXTS)
def test_full_pattern_value_near_its_words_is_found(text):
    found = re.search(full_pattern("[0-9a-f]{40}", context=["circle[_.-]?ci"]), text.encode())
    assert found
    assert found[1].decode() == HEX


@pytest.mark.parametrize(
    "text",
    [f"circleci/orb@{HEX}", f"uses: circleci/token@{HEX}", f'token = "{HEX}"', f"circleci token path/{HEX}"],
)
def test_full_pattern_value_without_its_words_or_inside_a_path_is_not_found(text):
    assert re.search(full_pattern("[0-9a-f]{40}", context=["circle[_.-]?ci"]), text.encode()) is None
