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
        ".github/workflows/a.yml",
        "a:\n  steps:\n    - name: x\n      run: |\n        curl -u u:⟦s3⟧ 'k=⟦s4⟧'\n      id: y\n",
        "a:\n  steps:\n    - name: x\n      env:\n        V1: ${{ secrets.V1 }}\n        V2: ${{ secrets.V2 }}\n"
        "      run: |\n"
        '        curl -u u:"${V1:?V1 is not set}" \'k=\'"${V2:?V2 is not set}"\n      id: y\n',
    ),
    (
        ".github/workflows/a.yml",
        "a:\n  steps:\n  - run: curl ⟦s3⟧\n    env:\n      A: b # c\n",
        'a:\n  steps:\n  - run: curl "${V1:?V1 is not set}"\n    env:\n      A: b # c\n      V1: ${{ secrets.V1 }}\n',
    ),
    (
        ".github/workflows/a.yml",
        "a:\n  steps:\n  - run: curl ⟦s3⟧\n",
        'a:\n  steps:\n  - env:\n      V1: ${{ secrets.V1 }}\n    run: curl "${V1:?V1 is not set}"\n',
    ),
    (
        ".gitlab-ci.yml",
        "a:\n  script:\n    - curl -u u:⟦s3⟧ x\n",
        'a:\n  script:\n    - curl -u u:"${V1:?V1 is not set}" x\n',
    ),
    (
        "Dockerfile",
        "FROM a\nRUN curl -u u:⟦s3⟧ x \\\n  && y ⟦s4⟧\n",
        "# syntax=docker/dockerfile:1\nFROM a\nRUN --mount=type=secret,id=V1,env=V1 --mount=type=secret,id=V2,env=V2 "
        'curl -u u:"${V1:?V1 is not set}" x \\\n  && y "${V2:?V2 is not set}"\n',
    ),
    (
        "Dockerfile",
        "# syntax=docker/dockerfile:1\nRUN a ⟦s3⟧\n",
        '# syntax=docker/dockerfile:1\nRUN --mount=type=secret,id=V1,env=V1 a "${V1:?V1 is not set}"\n',
    ),
    ("Dockerfile", "FROM a\nENV P=⟦s3⟧\nCMD b\n", "FROM a\nCMD b\n"),
    ("Dockerfile", 'FROM a\nENV P "⟦s3⟧"\nCMD b\n', "FROM a\nCMD b\n"),
    (
        "group_vars/all.yml",
        "a: ⟦s3⟧\nb: x ⟦s4⟧\n",
        "a: \"{{ lookup('ansible.builtin.env', 'V1', default=undef()) }}\"\n"
        "b: x {{ lookup('ansible.builtin.env', 'V2', default=undef()) }}\n",
    ),
]
LEFT = [
    ("Dockerfile", "ENV P=⟦s3cret⟧\nRUN a $P\n", "layers"),
    ("Dockerfile", "ENV P=⟦s3cret⟧ Q=1\n", "layers"),
    ("Dockerfile", "ARG P=⟦s3cret⟧\n", "layers"),
    ("Dockerfile", 'RUN ["a", "⟦s3cret⟧"]\n', "layers"),
    ("Dockerfile", "RUN <<EOF\na ⟦s3cret⟧\nEOF\n", "layers"),
    ("a.yml", "⟦s3cret⟧: 1\n", "key"),
    (".env", "A=${B}⟦s3⟧\n", "other variables"),
    (".env", "PATH=⟦s3cret⟧\n", "manifest"),
    (".env", "⟦s3cret⟧\n", "NAME=value"),
    (".github/workflows/a.yml", "a:\n  steps:\n  - run: curl ⟦s3cret⟧\n    shell: pwsh\n", "POSIX"),
    (".github/workflows/a.yml", "a:\n  runs-on: windows-latest\n  steps:\n  - run: curl ⟦s3cret⟧\n", "POSIX"),
    (".github/workflows/a.yml", 'a:\n  steps:\n  - run: "curl ⟦s3cret⟧"\n', "quotes"),
    (".github/workflows/a.yml", "a:\n  steps:\n  - run: curl ⟦s3cret⟧\n    env: {A: b}\n", "env"),
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
