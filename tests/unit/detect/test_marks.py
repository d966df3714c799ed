import pytest

from hygiene.detect.marks import find_mark
from tests.unit.detect.sample import token

VALUE = token(5)
NAME = "v1:0123456789abcdef"


def mark(text):
    data = text.encode().replace(b"VALUE", VALUE)
    start = data.index(VALUE)
    return find_mark(data, start, start + len(VALUE), "sample-token", NAME)


@pytest.mark.parametrize(
    "text",
    [
        "x = 'VALUE'  # hygiene: allow sample-token reason=known",
        "# hygiene: allow sample-token reason=known\nx = 'VALUE'",
        "/* hygiene: allow other sample-token reason=known */ VALUE",
        "VALUE # hygiene: allow * reason=known",
        "VALUE # hygiene: allow sample-token v1:01234567 reason=known",
    ],
)
def test_find_mark_of_ours_with_a_reason_covers(text):
    found = mark(text)
    assert found is not None and found.reason == "known"


@pytest.mark.parametrize(
    "text",
    [
        "VALUE # hygiene: allow sample-token",
        "VALUE # hygiene: allow sample-token reason=",
        "VALUE # hygiene: allow other reason=known",
        "VALUE # hygiene: allow reason=known",
        "VALUE # hygiene: allow sample-token v1:99999999 reason=another value",
        "VALUE # hygiene: allow sample-token v1:0 reason=too short a name",
        "VALUE\n# hygiene: allow sample-token reason=below",
        "# hygiene: allow sample-token reason=too far above\n\nVALUE",
        "VALUE",
    ],
)
def test_find_mark_without_reason_rule_or_nearness_covers_not(text):
    assert mark(text) is None


@pytest.mark.parametrize(
    "words",
    [
        "pragma: allowlist secret",
        "gitleaks:allow",
        "betterleaks:allow",
        "trufflehog:ignore",
        "kingfisher:ignore",
        "ggignore",
        "# nosec",
        "# nosec B105",
        "nosemgrep: rule",
    ],
)
def test_find_mark_of_a_peer_on_the_line_covers(words):
    assert mark(f"VALUE # {words}")
    assert mark(f"# {words}\n\nVALUE") is None


def test_find_mark_of_detect_secrets_for_the_next_line_covers():
    assert mark("# pragma: allowlist nextline secret\nVALUE")


def test_find_mark_inside_the_value_does_not_count():
    data = b"x = gitleaks:allow"
    assert find_mark(data, 4, len(data), "sample-token", NAME) is None
