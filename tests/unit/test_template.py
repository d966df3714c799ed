import re

import pytest

from hygiene.detect.template import TemplateError, fill_template


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", r"plain"),
        ("{{x}}", r"\{x\}"),
        ("ghp_{b62:30}{crc62}", r"ghp_[0-9A-Za-z]{36}"),
        ("{hex:32-40}", r"[0-9a-f]{32,40}"),
        ("{fill:x:4}", "xxxx"),
        ("{uuid}", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("{escaped:pem:ec}", r"-----BEGIN EC PRIVATE KEY-----\\n[^\n]+"),
    ],
)
def test_fill_template_writes_what_the_template_says(template, expected):
    assert re.fullmatch(expected, fill_template(template, "seed"))


def test_fill_template_same_seed_gives_the_same_text_and_another_gives_another():
    assert fill_template("{b62:30}", "a") == fill_template("{b62:30}", "a") != fill_template("{b62:30}", "b")


def test_fill_template_spoil_changes_one_character():
    right, wrong = fill_template("{b62:30}{crc62}", "a"), fill_template("{b62:30}{crc62}{spoil}", "a")
    assert sum(one != other for one, other in zip(right, wrong, strict=True)) == 1


@pytest.mark.parametrize("template", ["{nonsense}", "{b62}", "{b62:x}", "{open", "close}"])
def test_fill_template_mistake_is_refused(template):
    with pytest.raises(TemplateError):
        fill_template(template, "seed")
