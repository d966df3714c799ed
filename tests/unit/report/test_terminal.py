from __future__ import annotations

import pytest

from hygiene.report.terminal import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("é 日本", "é 日本"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\r\t", "a\\nb\\r\\t"),
        ("caf\udce9", "caf\\xe9"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("line\u2028sep", "line\\u2028sep"),
    ],
)
def test_printable_text_keeps_letters_and_escapes_what_steers_a_terminal(text, shown):
    assert printable(text) == shown
