"""Which names a path of a role covers: exactly, and in good time whatever is made up."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.store.access import _PARTS, _walked, covers


@pytest.mark.parametrize(
    ("glob", "covered", "not_covered"),
    [
        ("shop/db", ["shop/db"], ["shop/db2", "shop", "shop/db/x", "a/shop/db"]),
        ("shop/*", ["shop/db", "shop/"], ["shop/a/b", "shop"]),
        ("shop/**", ["shop/db", "shop/a/b"], ["shop", "shopping/x"]),
        ("**", ["a", "a/b"], []),
        ("**/key", ["a/key", "a/b/key"], ["key", "a/key2"]),
        ("*/b/*/d", ["a/b/c/d"], ["a/b/d", "a/b/c/c/d"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("*a*b*c", ["xaxbxc", "abc"], ["a/bc", "acb"]),
        ("**x*y**z", ["x/xy/z", "xyz"], ["x/y/z", "xz"]),
        ("a.c", ["a.c"], ["abc"]),
        ("[ab]", ["[ab]"], ["a"]),
    ],
)
def test_path_covers_what_it_says_and_nothing_else(glob, covered, not_covered):
    assert [name for name in covered if not covers(glob, name)] == []
    assert [name for name in not_covered if covers(glob, name)] == []


@given(st.text("ab/*?", max_size=9), st.text("ab/", max_size=9))
def test_both_ways_to_match_agree(glob, name):
    meanings = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = "".join(meanings.get(part, re.escape(part)) for part in _PARTS.split(glob))
    expected = re.fullmatch(expression, name, re.DOTALL) is not None
    assert _walked(_PARTS.split(glob), name) == expected
    assert covers(glob, name) == expected


@pytest.mark.parametrize("glob", ["**a" * 85, "*a" * 128, "**a**" * 50, "*?" * 128, "**" * 128])
def test_path_that_was_made_to_take_for_ever_does_not(glob):
    started = time.process_time()
    covers(glob, "a" * 255 + "b")
    assert time.process_time() - started < 2
