"""Probes 33 to 36: what is replaced is replaced whole, in place, once, and never before it is stored."""

import codecs
import difflib
import json
import subprocess
from contextlib import suppress
from shutil import which

import pytest
import yaml
from hvac.exceptions import InvalidPath

from tests.e2e.credentials import spellings
from tests.hooks.conftest import BIN, secret
from tests.probes.conftest import LINE, TOKEN, stopped
from tests.probes.proxy import Proxy
from tests.servers.openbao import OpenBao

FILES = {
    "a.py": 'import sys\n\nTOKEN = "{}"\nprint(TOKEN, sys.argv)\n',
    "b.js": "const token = '{}';\nconsole.log(token);\n",
    "c.ts": 'const token: string = "{}";\nconsole.log(token);\n',
    "d.sh": '#!/bin/sh\nTOKEN="{}"\necho "$TOKEN"\n',
    "e.go": 'package main\n\nimport "fmt"\n\nfunc main() {{\n\ttoken := "{}"\n\tfmt.Println(token)\n}}\n',
    "F.java": 'class F {{\n    static String token = "{}";\n}}\n',
    "g.rb": "token = '{}'\nputs token\n",
    "h.php": "<?php\n$token = '{}';\necho $token;\n",
    "I.cs": 'class I {{\n    static string token = "{}";\n}}\n',
    "j.rs": 'fn main() {{\n    let token = "{}";\n    println!("{{}}", token);\n}}\n',
    "k.env": "DEBUG=1\nTOKEN={}\n",
    "l.yml": "mail:\n  token: {}\n  port: 25\n",
    "m.toml": '[mail]\ntoken = "{}"\nport = 25\n',
    "n.json": '{{"mail": {{"token": "{}", "port": 25}}}}\n',
    "o.tf": 'variable "x" {{\n  default = 1\n}}\nlocals {{\n  token = "{}"\n}}\n',
    "p.ini": "[mail]\ntoken = {}\nport = 25\n",
    "q.hs": 'token = "{}"\n',  # no rewriter: left to the user
}
CHECKS = {
    "a.py": ["python", "-m", "py_compile", "a.py"],
    "b.js": ["node", "--check", "b.js"],
    "d.sh": ["sh", "-n", "d.sh"],
    "e.go": ["gofmt", "-e", "e.go"],
    "g.rb": ["ruby", "-c", "g.rb"],
    "h.php": ["php", "-l", "h.php"],
}


@pytest.fixture
def many(bare_project):
    """A repository with a secret in each of many formats; every second file has a mark and Windows' line ends."""
    for number, (name, text) in enumerate(FILES.items()):
        content = text.format(secret(name)).encode()
        if number % 2 and name not in ("d.sh", "h.php"):
            content = content.replace(b"\n", b"\r\n")
            content = codecs.BOM_UTF8 + content if name in ("F.java", "b.js", "n.json") else content
        bare_project.write(name, content)
    bare_project.save()
    return bare_project


def test_probe_33_each_format_is_replaced_in_place_or_left_with_a_note(many):
    before = {name: (many.folder / name).read_bytes() for name in FILES}
    plan = json.loads(many.hygiene("migrate", "--json", code=0).stdout)
    done = many.hygiene("migrate", "--apply", code=1)  # some are left
    left = {step["path"] for step in plan["steps"] if step["grade"] == "manual"}
    assert "q.hs" in left and len(left) <= len(FILES) - 15
    assert all(step["reason"] for step in plan["steps"] if step["grade"] == "manual")
    for name, old in before.items():
        new = (many.folder / name).read_bytes()
        if name in left:
            assert new == old
            continue
        assert not any(form in new for form in spellings(secret(name))), name
        assert_only_the_literal_changed(old, new, secret(name).encode(), name)
        if name in CHECKS and (program := _found(CHECKS[name][0])):
            subprocess.run([program, *CHECKS[name][1:]], cwd=many.folder, check=True, capture_output=True)
    assert yaml.safe_load((many.folder / "l.yml").read_bytes())["mail"]["port"] == 25
    said = done.stdout + done.stderr
    assert not any(secret(name).encode() in said for name in FILES)


def _found(program):
    return str(BIN / program) if (BIN / program).exists() else which(program)


def assert_only_the_literal_changed(old, new, value, name):
    """Every line that went held the value; what came are its line again and imports; marks and line ends stay."""
    assert old.startswith(codecs.BOM_UTF8) == new.startswith(codecs.BOM_UTF8)
    if b"\r\n" in old:
        assert b"\n" not in new.replace(b"\r\n", b""), name
    else:
        assert b"\r" not in new
    changes = difflib.ndiff(*([line.decode() for line in text.splitlines()] for text in (old, new)))
    gone = [line[2:] for line in changes if line.startswith("- ")]
    assert gone and all(value.decode() in line for line in gone if line.strip() and "import" not in line), (name, gone)


def test_probe_34_partly_staged_file_is_replaced_in_index_and_tree_and_no_hunk_is_swept(project):
    project.write("app.py", "a = 1\n" + "\n" * 9 + "b = 2\n")
    project.save()
    staged = LINE + "a = 1\n" + "\n" * 9 + "b = 2\n"
    project.write("app.py", staged)
    project.git("add", "app.py")
    project.write("app.py", staged.replace("b = 2", "b = 3"))
    stopped(project.commit(), "hygiene migrate --apply app.py")
    project.hygiene("migrate", "--apply", "app.py", code=0)
    index = project.git("show", ":app.py").stdout.decode()
    tree = (project.folder / "app.py").read_text()
    assert "os.environ" in index and "os.environ" in tree
    assert "b = 2" in index and "b = 3" in tree
    assert TOKEN not in index + tree
    project.git("add", "secrets.toml")
    assert project.commit()[0] == 0
    assert project.git("diff").stdout.count(b"\n+b = 3") == 1
    project.hygiene("migrate", "--rollback", code=0)
    assert TOKEN in (project.folder / "app.py").read_text()


def test_probe_35_value_in_forty_files_and_three_branches_is_one_secret(bare_project):
    bare_project.write("README", "x\n")
    bare_project.save()
    for branch in ("one", "two", "three"):
        bare_project.git("checkout", "-q", "-b", branch, "main")
        for number in range(40):
            bare_project.write(f"{branch}/{number}.py", f"# {number}\n" + LINE)
        bare_project.save()
    names = set()
    for branch in ("one", "two", "three"):
        bare_project.git("checkout", "-q", branch)
        plan = json.loads(bare_project.hygiene("migrate", "--json", code=0).stdout)
        assert (plan["summary"]["secrets"], plan["summary"]["places"]) == (1, 40)
        bare_project.hygiene("migrate", "--apply", code=0)
        assert all(b"os.environ" in path.read_bytes() for path in (bare_project.folder / branch).iterdir())
        bare_project.save()
        again = bare_project.hygiene("migrate", "--apply", code=0)
        assert not bare_project.git("status", "--porcelain").stdout, again.stderr
        names |= {row["name"] for row in json.loads(bare_project.hygiene("secret", "list", "--json").stdout)}
    assert len(names) == 1
    (versions,) = [json.loads(bare_project.hygiene("secret", "describe", *names, "--json").stdout)["versions"]]
    assert len(versions) == 1


def test_probe_36_store_that_goes_down_half_way_leaves_nothing_replaced_unstored(bare_project, bao_server: OpenBao):
    for number in range(6):
        bare_project.write(f"app{number}.py", f'token_{number} = "{secret(str(number))}"\n')
    bare_project.save()
    writes = []

    def third_write(data):
        writes.extend([data] if data.startswith((b"POST /v1/secret/data", b"PUT /v1/secret/data")) else [])
        return len(writes) == 3

    store = ("--store", "vault://secret/probe36")
    environment = bare_project.environment
    environment |= {"VAULT_TOKEN": bao_server.token, "VAULT_MAX_RETRIES": "0"}
    with Proxy(int(bao_server.url.rsplit(":", 1)[1]), third_write, stays_down=True) as proxy:
        environment["VAULT_ADDR"] = f"http://127.0.0.1:{proxy.port}"
        bare_project.hygiene("migrate", "--apply", *store, code=5)
        assert proxy.cuts == 1
    stored = _values(bao_server)
    for number in range(6):
        text = (bare_project.folder / f"app{number}.py").read_text()
        assert secret(str(number)) in text or secret(str(number)) in stored
    environment["VAULT_ADDR"] = bao_server.url
    bare_project.hygiene("migrate", "--resume", code=0)
    assert {secret(str(number)) for number in range(6)} <= _values(bao_server)
    bare_project.hygiene("scan", code=0)
    bare_project.hygiene("migrate", "--rollback", code=0)
    for number in range(6):
        assert secret(str(number)) in (bare_project.folder / f"app{number}.py").read_text()


def _values(server):
    """Give all values that the store holds below probe36/."""
    store = server.client().secrets.kv.v2
    found = set()

    def walk(path):
        with suppress(InvalidPath):  # nothing is there, or metadata without a value
            if not path.endswith("/"):
                read = store.read_secret_version(path=path, mount_point="secret", raise_on_deleted_version=True)
                found.update(read["data"]["data"].values())
                return
            for key in store.list_secrets(path=path, mount_point="secret")["data"]["keys"]:
                walk(path + key)

    walk("probe36/")
    return found
