"""JSON, TOML, INI, properties, XML, Terraform, SQL, documentation and packaging files: unchanged / rewritten."""

import pytest

from tests.unit.replace.rewriting import rewrite, values

R = "ref+embedded://v/1"
REWRITTEN = [
    ("a.json", '{"a": "⟦s3⟧", "b": [1]}\n', f'{{"a": "{R}", "b": [1]}}\n'),
    ("a.json", '{"a": "u:⟦s3⟧@h" /* c */}\n', f'{{"a": "u:{R}+@h" /* c */}}\n'),
    ("a.json", '\n{"k": "⟦-----BEGIN\\nKEY-----⟧\\n"}', f'\n{{"k": "{R}\\n"}}'),
    ("appsettings.json", '{"Db": {"Password": "⟦s3⟧"}}\n', f'{{"Db": {{"Password": "{R}"}}}}\n'),
    ("appsettings.Production.json", '{"C": {"Default": "Pwd=⟦s3⟧;"}}\n', f'{{"C": {{"Default": "{R}"}}}}\n'),
    ("a.toml", "a = '⟦s3⟧' # c\n[t]\nb = 1\n", f"a = '{R}' # c\n[t]\nb = 1\n"),
    ("a.toml", "# ⟦s3cret⟧\n", "# <V1>\n"),
    ("a.ini", "[a]\nb = ⟦s3⟧\n; ⟦s4cret⟧\n", f"[a]\nb = {R}\n; <V2>\n"),
    ("a.properties", "a.b=⟦s3⟧\r\n", f"a.b={R}\r\n"),
    ("src/application.properties", "spring.p=⟦s3⟧\n", "spring.p=${V1}\n"),
    (
        "a.xml",
        '<a><b c="⟦s3⟧">⟦s4⟧</b><!-- ⟦s5cret⟧ --></a>\n',
        f'<a><b c="{R}">ref+embedded://v/2</b><!-- <V3> --></a>\n',
    ),
    ("a.xml", "<a><b>⟦s3&amp;t⟧</b></a>\n", f"<a><b>{R}</b></a>\n"),
    ("a.xml", "<a><![CDATA[⟦s3&t⟧]]></a>\n", f"<a><![CDATA[{R}+]]></a>\n"),
    ("a.jsonc", '{\n  // ⟦s3cret⟧\n  "a": 1,\n}\n', '{\n  // <V1>\n  "a": 1,\n}\n'),
    ("settings.xml", "<a><password>⟦s3⟧</password></a>\n", "<a><password>${env.V1}</password></a>\n"),
    ("web.config", "a = ⟦s3⟧\n", f"a = {R}\n"),
    (
        "main.tf",
        'resource "a" "b" {\n  p = "⟦s3⟧"\n  q = "u:⟦s4⟧@${var.h}"\n}\n',
        'resource "a" "b" {\n  p = var.v1_main\n  q = "u:${var.v2_main}@${var.h}"\n}\n'
        '\nvariable "v1_main" {\n  type      = string\n  sensitive = true\n}\n'
        '\nvariable "v2_main" {\n  type      = string\n  sensitive = true\n}\n',
    ),
    ("a.sql", "CREATE ROLE app PASSWORD '⟦s3⟧';\n", "\\getenv V1 V1\nCREATE ROLE app PASSWORD :'V1';\n"),
    ("a.sql", "CREATE LOGIN a WITH PASSWORD = 'x⟦s3⟧';\nGO\n", "CREATE LOGIN a WITH PASSWORD = 'x$(V1)';\nGO\n"),
    ("README.md", "Run `export P=⟦s3⟧`.\n", "Run `export P=$V1`.\n"),
    (".npmrc", "//r/:_authToken=⟦s3⟧\n", "//r/:_authToken=${V1}\n"),
    ("requirements.txt", "--index-url https://u:⟦s3⟧@h/\n", "--index-url https://u:${V1}@h/\n"),
    ("service.conf.example", "[a]\npassword = ⟦s3⟧\n", f"[a]\npassword = {R}\n"),
    ("hostrc", "a=1\npassword=⟦s3⟧\n", f"a=1\npassword={R}\n"),
]
LEFT = [
    ("a.json", '{"⟦s3cret⟧": 1}\n', "key"),
    ("a.json5", "{a: '⟦s3cret⟧', b: 1,}\n", "JSON5"),
    ("a.tfstate", '{"a": "⟦s3cret⟧"}\n', "state"),
    ("terraform.tfvars", 'a = "⟦s3cret⟧"\n', "variables"),
    ("main.tf", 'terraform {\n  backend "s3" {\n    p = "⟦s3cret⟧"\n  }\n}\n', "no expression"),
    ("a.sql", "CREATE USER a IDENTIFIED BY '⟦s3cret⟧';\n", "client"),
    ("db/V2__users.sql", "CREATE ROLE a PASSWORD '⟦s3cret⟧';\n", "checksum"),
    ("Dockerfile", "FROM a\nENV P=⟦s3cret⟧ \\\n  Q=1\n", "layers"),
    (".netrc", "machine a password ⟦s3cret⟧\n", "neither"),
    ("index.html", "<script>var key = '⟦s3cret⟧'</script>\n", "browsers"),
    (".pypirc", "password = ⟦s3cret⟧\n", "neither"),
    ("server.pem", "⟦-----BEGIN KEY-----\nabc\n-----END KEY-----⟧\n", "whole file"),
]


@pytest.mark.parametrize(("path", "before", "after"), REWRITTEN)
def test_format_with_a_secret_refers_to_it(path, before, after):
    assert rewrite(path, before)[0] == after


@pytest.mark.parametrize(("path", "before", "reason"), LEFT)
def test_format_that_cannot_refer_is_left(path, before, reason):
    text, result = rewrite(path, before)
    assert text == before.replace("⟦", "").replace("⟧", "")
    assert reason in result.skips[0].reason
    assert result.skips[0].advice


def test_appsettings_names_the_variable_that_overrides_the_whole_value():
    _, result = rewrite("appsettings.json", '{"Db": {"Conn": "Pwd=⟦s3⟧;\\n"}}')
    change = result.changes[0]
    assert (change.hint, change.demanded, values(result)) == ("Db__Conn", True, [b"Pwd=s3;\n"])


def test_terraform_names_the_variable_that_it_reads():
    _, result = rewrite("db/main.tf", 'locals {\n  p = "⟦a\\"b⟧"\n}\n')
    assert (result.changes[0].environment, values(result)) == ("TF_VAR_v1_main", [b'a"b'])
