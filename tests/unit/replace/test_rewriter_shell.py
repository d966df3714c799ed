"""Shell: unchanged / rewritten."""

import pytest

from tests.unit.replace.rewriting import rewrite, values

V = "${V1:?V1 is not set}"
REWRITTEN = [
    ("P=⟦s3cret⟧\n", f'P="{V}"\n'),
    ("export P='⟦s3cret⟧'\n", f'export P="{V}"\n'),
    ('P="⟦s3cret⟧"\n', f'P="{V}"\n'),
    ("curl -H 'Authorization: Bearer ⟦s3⟧'\n", f"curl -H 'Authorization: Bearer '\"{V}\"\n"),
    ('curl -d \'{"p":"⟦s3⟧"}\'\n', f'curl -d \'{{"p":"\'"{V}"\'"}}\'\n'),
    ("mysql -p⟦s3cret⟧ db\n", f'mysql -p"{V}" db\n'),
    ("x=\"$(f '⟦s3⟧')\"\n", f'x="$(f "{V}")"\n'),
    ("cat <<EOF\np=⟦s3⟧\nEOF\n", f"cat <<EOF\np={V}\nEOF\n"),
    ("x=$'a\\n⟦s3⟧'\n", f"x=$'a\\n'\"{V}\"\n"),
    ("P=⟦12345678⟧\n", f'P="{V}"\n'),
    ("# was ⟦s3cret⟧\n", "# was <V1>\n"),
    ('if [ "$1" = "⟦s3⟧" ]; then :; fi\n', f'if [ "$1" = "{V}" ]; then :; fi\n'),
]
LEFT = [
    ("cat <<'EOF'\n⟦s3cret⟧\nEOF\n", "quoted mark"),
    ('P="⟦a${b}c⟧"\n', "expands"),
    ("rm ⟦a*b⟧\n", "expands"),
    ("⟦s3cret⟧ x\n", "name"),
]


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_shell_with_a_secret_reads_the_environment(before, after):
    assert rewrite("a.sh", before)[0] == after


@pytest.mark.parametrize(("before", "reason"), LEFT)
def test_shell_that_does_not_expand_is_left(before, reason):
    text, result = rewrite("a.sh", before)
    assert text == before.replace("⟦", "").replace("⟧", "")
    assert reason in result.skips[0].reason


def test_shell_value_is_what_the_shell_makes_of_the_word():
    _, result = rewrite("a.sh", "A=\"⟦a\\$b\\\\c\\d⟧\"\nB=⟦a\\ b⟧\nC='⟦a\\b⟧'\n")
    assert values(result) == [b"a$b\\c\\d", b"a b", b"a\\b"]
