"""Programs print secrets; rewritten, with the variables set, they print the same, and without them they fail.

Each runs with its own language's tool, and is skipped where that is not installed.
"""

import os
import subprocess

import pytest

from tests.toolchain import require
from tests.unit.replace.rewriting import rewrite, values

PYTHON = '''"""Doc."""
from __future__ import annotations
import sys
A = "⟦s3cret-one⟧"
def f(x="⟦default-two⟧"): return x
class C:
    t: str = r"⟦raw\\d three⟧"
print(A, f(), C.t, b"⟦by\\x41tes⟧", f"p:⟦fstring-4⟧@{A}", f'{"⟦nested5⟧"}', ("one" "⟦impl-6⟧" 'x'), "⟦q\\"uo\\'te⟧")
print("u:⟦middle-7⟧:h".upper(), {"⟦key-8⟧": 1}, "⟦a⟧" "⟦b⟧", """
⟦multi
line⟧""", file=sys.stdout)
'''
NODE = r"""'use strict'
const a = '⟦s3cret-one⟧'
const o = { p: "Bearer ⟦two-2⟧", '⟦key-3⟧': 1, q: `x${a}:⟦tpl-4⟧` }
class C { p = '⟦it\'s5⟧'; m(d = "⟦d\u00e9fault⟧") { return d } }
console.log(a, o, new C().p, new C().m(), 'u:⟦mid-6⟧'.length, a == '⟦cmp-7⟧', typeof `⟦whole-8⟧`)
"""
SHELL = r"""#!/bin/bash
set -eu
P=⟦s3cret-one⟧
export Q="⟦two \$2⟧" R='⟦three 3⟧'
printf '%s|' "$P" "$Q" "$R" --pw=⟦four-4⟧ 'json {"p":"⟦five-5⟧"}' $'a\n⟦six⟧' "pre-⟦seven⟧-post"
cat <<EOF
heredoc ⟦eight-8⟧
EOF
case "$P" in ⟦s3cret-one⟧) echo same;; esac
[[ $P == "⟦s3cret-one⟧" ]] && echo equal
"""
GO = """package main

import (
\t"fmt"
\t"strings"
)

const A = "⟦s3cret-one⟧"

const (
\tB = "⟦two-2⟧"
\tN = 3
)

type T struct{ P string }

func main() {
\tfmt.Println(A, B, N, []byte("⟦three⟧"), `raw ⟦four-4⟧`, strings.ToUpper("⟦fi\\"ve⟧"), T{P: "⟦six-6⟧"}, "x:⟦seven⟧@h")
\tswitch B {
\tcase "⟦two-2⟧":
\t\tfmt.Println("same")
\t}
}
"""
RUBY = r"""
a = "⟦s3cret-one⟧"
h = { k: '⟦two-2⟧', 'x' => "u:⟦three⟧@#{a}", '⟦key4⟧' => 1 }
puts a, h, 'p ⟦five⟧'.upcase, %q(⟦six-6⟧), "a" "⟦seven⟧", '⟦it\'s⟧'
puts <<~EOS
  here ⟦eight⟧ #{a}
EOS
case a when '⟦s3cret-one⟧' then puts 'same' end
"""
PHP = r"""<?php
define('A', '⟦s3cret-one⟧');
$x = ["k" => '⟦two-2⟧', '⟦key3⟧' => 1];
function f($y) { $z = "p:⟦four⟧@$y"; return $z . '⟦it\'s5⟧'; }
echo A, json_encode($x), f("⟦six\n⟧"), strlen("ab⟦seven⟧"), A === '⟦s3cret-one⟧' ? 'same' : 'other';
"""
RUST = r"""
fn g(a: &str, b: String) { println!("{} {}", a, b); }
fn main() {
    let p = "⟦s3cret-one⟧";
    let raw = r#"raw ⟦two-2⟧ end"#;
    g("⟦three⟧", String::from("⟦four-4⟧"));
    g(raw, "⟦five⟧".to_string());
    let s: &'static str = "u:⟦six\"6⟧@h";
    assert_eq!(p, "⟦s3cret-one⟧");
    g(s, format!("{}", p.len() + "⟦seven⟧".len()));
    if p == "⟦s3cret-one⟧" { g("x ⟦eight⟧", "y ⟦nine⟧".to_owned()); }
}
"""
JAVA = r"""
import java.util.*;
public class Main {
    static final String A = "⟦s3cret-one⟧";
    private final String b = "u:⟦two-2⟧@h";
    static String f(String... x) { return String.join("|", x); }
    public static void main(String[] args) {
        String[] list = { "⟦three⟧", "⟦fo\"ur⟧" };
        System.out.println(A + new Main().b + f("⟦five⟧", "x ⟦six⟧".toUpperCase()) + Arrays.toString(list));
        System.out.println(A.equals("⟦s3cret-one⟧") ? "same" : "other");
    }
}
"""
PROGRAMS = [
    ("main.py", PYTHON, ["python3", "main.py"], ["python3", "-m", "py_compile", "main.py"]),
    ("main.js", NODE, ["node", "main.js"], ["node", "--check", "main.js"]),
    ("main.sh", SHELL, ["bash", "main.sh"], ["bash", "-n", "main.sh"]),
    ("main.go", GO, ["go", "run", "main.go"], ["gofmt", "-e", "main.go"]),
    ("main.rb", RUBY, ["ruby", "main.rb"], ["ruby", "-c", "main.rb"]),
    ("main.php", PHP, ["php", "main.php"], ["php", "-l", "main.php"]),
    ("main.rs", RUST, ["sh", "-c", "rustc -A warnings -o main main.rs && ./main"], []),
    ("Main.java", JAVA, ["java", "Main.java"], []),
]


def run(folder, command, variables):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "GOFLAGS": "-mod=mod",
        "LC_ALL": "C.UTF-8",
    }
    environment |= {"GOCACHE": str(folder / "gocache")} | {name: value.decode() for name, value in variables.items()}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300)


@pytest.mark.parametrize(("name", "text", "command", "check"), PROGRAMS, ids=[row[0] for row in PROGRAMS])
def test_rewritten_program_with_its_variables_does_the_same(tmp_path, name, text, command, check):
    require({"main.rs": "rustc"}.get(name, command[0]))
    (tmp_path / name).write_bytes(text.replace("⟦", "").replace("⟧", "").encode())
    before = run(tmp_path, command, {})
    assert before.returncode == 0, before.stderr.decode()
    after, result = rewrite(name, text)
    assert [skip.reason for skip in result.skips] == []
    (tmp_path / name).write_text(after)
    if check:
        assert run(tmp_path, check, {}).returncode == 0
    variables = {change.target.variable: value for change, value in zip(result.changes, values(result), strict=True)}
    again = run(tmp_path, command, variables)
    assert again.stdout == before.stdout, again.stderr.decode()
    assert run(tmp_path, command, {}).returncode != 0  # a missing variable fails loudly
