"""Python: unchanged / rewritten."""

import pytest

from hygiene.replace.rewriters.protocol import SETTINGS, Style
from tests.unit.replace.rewriting import rewrite, values

REWRITTEN = [
    ('x = "⟦s3cret⟧"\n', 'import os\n\nx = os.environ["V1"]\n'),
    ('import os\nx = "⟦s3cret⟧"\n', 'import os\nx = os.environ["V1"]\n'),
    ('import sys\nx = "⟦s3cret⟧"\n', 'import os\nimport sys\nx = os.environ["V1"]\n'),
    (
        '"""Doc."""\n\nfrom __future__ import annotations\n\nx = "⟦s3cret⟧"\n',
        '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os\n\nx = os.environ["V1"]\n',
    ),
    ('"""Doc."""; x = "⟦s3cret⟧"\n', '"""Doc."""; import os; x = os.environ["V1"]\n'),
    (
        "#!/usr/bin/python\n# coding: utf-8\nx = '⟦s3⟧'",
        "#!/usr/bin/python\n# coding: utf-8\nimport os\n\nx = os.environ['V1']",
    ),
    ('import os\nx = b"⟦s3cret⟧"\n', 'import os\nx = os.environ["V1"].encode()\n'),
    ('import os\nx = "Bearer ⟦s3cret⟧"\n', 'import os\nx = "Bearer " + os.environ["V1"]\n'),
    ('import os\nx = "a ⟦s3⟧ b".upper()\n', 'import os\nx = ("a " + os.environ["V1"] + " b").upper()\n'),
    ('import os\nx = f"p://u:⟦s3⟧@{h}"\n', "import os\nx = f\"p://u:{os.environ['V1']}@{h}\"\n"),
    ("import os\nx = f'p://u:⟦s3⟧@{h}'\n", "import os\nx = f'p://u:{os.environ[\"V1\"]}@{h}'\n"),
    (
        'import os\nx = ("a"\n     "⟦s3⟧"\n     "b")\n',
        'import os\nx = ("a"\n     "" + os.environ["V1"] + ""\n     "b")\n',
    ),
    ('import os\nx = "⟦s3⟧" "⟦s4⟧"\n', 'import os\nx = os.environ["V1"] + "" "" + os.environ["V2"]\n'),
    ('import os\nx = r"⟦s\\d3⟧"\n', 'import os\nx = os.environ["V1"]\n'),
    ("import os\nd = {'⟦key⟧': '⟦s3⟧'}\n", "import os\nd = {os.environ['V1']: os.environ['V2']}\n"),
    ('def f(os, x="⟦s3⟧"): ...\n', 'import os as _os\n\ndef f(os, x=_os.environ["V1"]): ...\n'),
    ('def f():\n    """Use ⟦s3cret⟧."""\n', 'def f():\n    """Use <V1>."""\n'),
    ('import os\nx = "⟦one" + "two⟧ b"\n', 'import os\nx = os.environ["V1"] + " b"\n'),
    ('import os\nx = ("⟦one"  # c\n "two⟧")\n', 'import os\nx = (os.environ["V1"])\n'),
    ('import os\nx = """{"a": "⟦s3⟧"}"""\n', 'import os\nx = """{"a": \\"""" + os.environ["V1"] + """"}"""\n'),
    ("x = 1  # was ⟦s3cret⟧\n", "x = 1  # was <V1>\n"),
    ('x = """\n⟦line one\nline two⟧\n"""\n', 'import os\n\nx = """\n""" + os.environ["V1"] + """\n"""\n'),
    ('import os\r\nx = "⟦s3cret⟧"\r\n', 'import os\r\nx = os.environ["V1"]\r\n'),
    ('x = "⟦s3cret⟧"\r\n', 'import os\r\n\r\nx = os.environ["V1"]\r\n'),
    ('# about x\nx = "⟦s3⟧"\n', 'import os\n\n# about x\nx = os.environ["V1"]\n'),
    ('if True:\n    import os\nx = "⟦s3⟧"\n', 'import os\n\nif True:\n    import os\nx = os.environ["V1"]\n'),
]
LEFT = [
    ('match x:\n    case "⟦s3cret⟧":\n        pass\n', "pattern"),
    ('from typing import Literal\nx: Literal["⟦s3cret⟧"]\n', "annotation"),
    ('x = "a%s⟦s3cret⟧" % y\n', "template"),
    ('x = "{}⟦s3cret⟧".format(y)\n', "template"),
    ('x = b"⟦\\xff\\xfe⟧"\n', "bytes"),
    ("x = ⟦1234567⟧\n", "string"),
]


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_python_with_a_secret_reads_the_environment(before, after):
    assert rewrite("a.py", before)[0] == after


@pytest.mark.parametrize(("before", "reason"), LEFT)
def test_python_that_needs_a_constant_is_left(before, reason):
    text, result = rewrite("a.py", before)
    assert text == before.replace("⟦", "").replace("⟧", "")
    assert reason in result.skips[0].reason
    assert result.skips[0].advice


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r'"a\"b\\c\n\x41\u00e9\101"', b'a"b\\c\nA\xc3\xa9A'),
        (r'"C:\keys\d"', rb"C:\keys\d"),
        (r"b'\x41\n'", b"A\n"),
        (r"'\U0001f511'", b"\xf0\x9f\x94\x91"),
        ("'''a\\\nb'''", b"ab"),
    ],
)
def test_python_value_is_what_the_literal_means(literal, value):
    quote = '"' if literal.endswith('"') else "'''" if literal.endswith("'''") else "'"
    opening = literal[: literal.index(quote) + len(quote)]
    content = literal[len(opening) : -len(quote)]
    _, result = rewrite("a.py", f"x = {opening}⟦{content}⟧{quote}\n")
    assert values(result) == [value]


def test_python_in_the_settings_style_reads_the_module():
    text, _ = rewrite("a.py", 'x = "⟦s3cret⟧"\n', Style(SETTINGS, "shop.settings"))
    assert text == "from shop import settings\n\nx = settings.V1\n"
