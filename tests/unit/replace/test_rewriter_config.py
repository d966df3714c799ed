"""``.env`` and YAML: unchanged / rewritten."""

import pytest

from tests.unit.replace.rewriting import rewrite, values

R = "ref+embedded://v/1"
REWRITTEN = [
    (".env", "A=⟦s3cret⟧\n", f"A={R}\n"),
    (".env", 'export A="⟦s3cret⟧" # why\n', f'export A="{R}" # why\n'),
    (".env.local", "A='⟦s3⟧'\r\nB=1\r\n", f"A='{R}'\r\nB=1\r\n"),
    (".env", "URL=postgres://u:⟦s3⟧@h/d\n", f"URL={R}\n"),
    (".env", 'K="⟦a\nb⟧"\nB=1\n', f'K="{R}"\nB=1\n'),
    (".env", "A=⟦s3⟧", f"A={R}"),
    (".env", "# A=⟦s3cret⟧\n", "# A=<V1>\n"),
    (".env.example", "A=⟦s3cret⟧\nB=\n", "A=\nB=\n"),
    ("a.yml", "a: ⟦s3⟧\nb: 1\n", f"a: {R}\nb: 1\n"),
    ("a.yml", "a: '⟦s3⟧'  # x\n", f"a: '{R}'  # x\n"),
    ("a.yaml", "a: u:⟦s3⟧@h\n", f"a: u:{R}+@h\n"),
    ("a.yaml", 'a: [⟦s3⟧, {b: "⟦s4⟧"}]\n', f'a: [{R}+, {{b: "ref+embedded://v/2"}}]\n'),
    ("a.yaml", "a: &x |\n  one\n  p=⟦s3⟧\nb: *x\n---\nc: 1\n", f"a: &x |\n  one\n  p={R}\nb: *x\n---\nc: 1\n"),
    ("a.yaml", "# ⟦s3cret⟧\n", "# <V1>\n"),
    ("t/a.yaml", "a: {{ .x }}\nb: ⟦s3⟧\n{{- end }}\n", f"a: {{{{ .x }}}}\nb: {R}\n{{{{- end }}}}\n"),
    (
        "docker-compose.yml",
        "services:\n  a:\n    environment:\n      P: ⟦s3⟧\n      Q: {r: ⟦s4⟧}\n",
        'services:\n  a:\n    environment:\n      P: ${V1:?V1 is not set}\n      Q: {r: "${V2:?V2 is not set}"}\n',
    ),
    ("src/application.yml", "spring:\n  p: ⟦s3⟧\n", "spring:\n  p: ${V1}\n"),
    (".github/workflows/a.yml", "env:\n  P: ⟦s3⟧\n", "env:\n  P: ${{ secrets.V1 }}\n"),
    (".gitlab-ci.yml", "variables:\n  P: ⟦s3⟧\n", "variables:\n  P: $V1\n"),
    (
        "group_vars/all.yml",
        "a: ⟦s3⟧\nb: x ⟦s4⟧\n",
        "a: \"{{ lookup('ansible.builtin.env', 'V1', default=undef()) }}\"\n"
        "b: x {{ lookup('ansible.builtin.env', 'V2', default=undef()) }}\n",
    ),
]
LEFT = [
    ("a.yml", "⟦s3cret⟧: 1\n", "key"),
    (".env", "A=${B}⟦s3⟧\n", "other variables"),
    (".env", "PATH=⟦s3cret⟧\n", "manifest"),
    (".env", "⟦s3cret⟧\n", "NAME=value"),
    (".github/workflows/a.yml", "jobs:\n  a:\n    steps:\n    - run: curl ⟦s3cret⟧\n", "script"),
]


@pytest.mark.parametrize(("path", "before", "after"), REWRITTEN)
def test_config_with_a_secret_refers_to_it(path, before, after):
    assert rewrite(path, before)[0] == after


@pytest.mark.parametrize(("path", "before", "reason"), LEFT)
def test_config_that_cannot_refer_is_left(path, before, reason):
    text, result = rewrite(path, before)
    assert text == before.replace("⟦", "").replace("⟧", "")
    assert reason in result.skips[0].reason


def test_dotenv_value_is_what_loaders_read():
    _, result = rewrite(".env", 'A="⟦a\\nb\\"⟧"\nB=\'⟦a\\nb⟧\'\nC=⟦a b⟧ # c\nU=p://u:⟦s3⟧@h\n')
    assert values(result) == [b'a\nb"', b"a\\nb", b"a b", b"p://u:s3@h"]


def test_yaml_value_is_the_text_as_written_so_that_rendering_gives_the_file_back():
    before = 'a: "⟦x\\ny⟧"\n'
    text, result = rewrite("a.yml", before)
    assert text.replace(R, values(result)[0].decode()) == before.replace("⟦", "").replace("⟧", "")
