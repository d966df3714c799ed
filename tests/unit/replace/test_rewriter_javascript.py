"""JavaScript and TypeScript: unchanged / rewritten."""

import pytest

from tests.unit.replace.rewriting import rewrite, values

HELPER = """
function requireEnv(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
"""
TYPED = HELPER.replace("(name)", "(name: string): string", 1)

REWRITTEN = [
    ("a.js", "const a = '⟦s3⟧';\n", "const a = requireEnv('V1');\n" + HELPER),
    (
        "a.js",
        "'use strict'\nconst a = '⟦s3⟧'\n",
        "'use strict'\nconst a = requireEnv('V1')\n" + HELPER.replace(";", ""),
    ),
    ("a.js", "const a = '⟦s3⟧'", ("const a = requireEnv('V1')\n" + HELPER.replace(";", "")).rstrip()),
    ("a.mjs", "f({ h: 'Bearer ⟦s3⟧' });\n", "f({ h: 'Bearer ' + requireEnv('V1') });\n" + HELPER),
    ("a.js", "f({ '⟦s3⟧': 1 });\n", "f({ [requireEnv('V1')]: 1 });\n" + HELPER),
    ("a.js", "x(`u:⟦s3⟧@${h}`);\n", 'x(`u:${requireEnv("V1")}@${h}`);\n' + HELPER),
    ("a.js", "x = 'a⟦s3⟧b'.length;\n", "x = ('a' + requireEnv('V1') + 'b').length;\n" + HELPER),
    ("a.js", "// was ⟦s3cret⟧\n", "// was <V1>\n"),
    ("a.js", "f('⟦s3⟧');\n" + HELPER, "f(requireEnv('V1'));\n" + HELPER),
    (
        "a.js",
        "requireEnv = 1; f('⟦s3⟧');\n",
        "requireEnv = 1; f(readRequiredEnv('V1'));\n" + HELPER.replace("requireEnv", "readRequiredEnv"),
    ),
    ("a.ts", "const a: string = '⟦s3⟧';\r\n", ("const a: string = requireEnv('V1');\n" + TYPED).replace("\n", "\r\n")),
    ("a.ts", "class C { readonly p = `⟦s3⟧`; }\n", 'class C { readonly p = requireEnv("V1"); }\n' + TYPED),
]
STYLED = [
    # as the file is written: quotes, semicolons, indentation
    (
        "const a = require('a')\n\nfunction f () {\n    return a('⟦s3⟧')\n}\n",
        "const a = require('a')\n\nfunction f () {\n    return a(requireEnv('V1'))\n}\n"
        + HELPER.replace(";", "").replace("  ", "    "),
    ),
    (
        'const a = "";\nif (a) {\n\tf(`x ⟦s3⟧`);\n}\n',
        'const a = "";\nif (a) {\n\tf(`x ${requireEnv("V1")}`);\n}\n' + HELPER.replace("  ", "\t"),
    ),
]
LEFT = [
    ("a.jsx", "const a = <A b='⟦s3cret⟧'/>;\n", "browser"),
    ("a.js", "import React from 'react';\nconst a = '⟦s3cret⟧';\n", "browser"),
    ("a.js", "document.getElementById('x').value = '⟦s3cret⟧';\n", "browser"),
    ("a.ts", "const a = '⟦s3cret⟧' as const;\n", "constant"),
    ("a.ts", "enum A { B = '⟦s3cret⟧' }\n", "enum"),
    ("a.ts", "type A = '⟦s3cret⟧';\n", "type"),
    ("a.js", "import x from '⟦s3cret⟧';\n", "module"),
    ("a.js", "sql`select ${a} ⟦s3cret⟧`;\n", "tagged"),
    ("a.js", "const a = /⟦s3cret⟧/;\n", "string"),
]


@pytest.mark.parametrize(("before", "after"), STYLED)
def test_javascript_in_another_style_keeps_it(before, after):
    assert rewrite("a.js", before)[0] == after


@pytest.mark.parametrize(("path", "before", "after"), REWRITTEN)
def test_javascript_with_a_secret_reads_the_environment(path, before, after):
    assert rewrite(path, before)[0] == after


@pytest.mark.parametrize(("path", "before", "reason"), LEFT)
def test_javascript_that_cannot_be_rewritten_is_left(path, before, reason):
    text, result = rewrite(path, before)
    assert text == before.replace("⟦", "").replace("⟧", "")
    assert reason in result.skips[0].reason


def test_javascript_value_is_what_the_literal_means():
    _, result = rewrite("a.js", r"x = '⟦a\'b\n\x41\u00e9\u{1f511}\!\ud83d\udd11⟧';")
    assert values(result) == ["a'b\nAé🔑!🔑".encode()]
