"""Every kind of literal of ten languages: rewritten, the runtime gives the same value; or it is left, byte for byte.

The literals stand in ``literals.txt``. All of a language that are rewritten are printed by one program, before and
after; each that is left is tried alone.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.toolchain import require
from tests.unit.replace.rewriting import rewrite, values

ARROW = " ⟶ "


class Program(NamedTuple):
    """How literals are printed in one language; ``{}`` stands for one."""

    name: str
    before: str
    printing: str
    after: str
    command: str
    tool: str


PROGRAMS = [
    Program("main.py", "", "print({})\n", "", "python3 main.py", "python3"),
    Program("main.js", "function await_(x) { return x }\n", "console.log({})\n", "", "node main.js", "node"),
    Program("main.rb", "", "v = {}\np v\n", "", "ruby main.rb", "ruby"),
    Program("main.php", "<?php\n", "var_dump({});\n", "", "php main.php", "php"),
    Program("main.sh", "set -eu\nx=1\n", 'printf "<%s>\\n" {}\n', "", "bash main.sh", "bash"),
    Program(
        "main.go",
        'package main\n\nimport "fmt"\n\nfunc main() {\n',
        '\tfmt.Printf("%q\\n", {})\n',
        "}\n",
        "go run main.go",
        "go",
    ),
    Program(
        "main.rs",
        "fn main() {\n",
        '    { let v = {}; println!("{:?}", v); }\n',
        "}\n",
        "rustc -A warnings --edition 2021 -o main main.rs && ./main",
        "rustc",
    ),
    Program(
        "Main.java",
        "public class Main {\n static String f(String... x) { return String.join(x[0], x); }\n"
        " public static void main(String[] args) {\n",
        "  System.out.println({});\n",
        " }\n}\n",
        "java Main.java",
        "java",
    ),
    Program(
        "main.kt",
        "class C(val p: String)\nfun f(vararg x: String) = x.joinToString()\n"
        "fun main(args: Array<String>) {\n  val x = 1\n",
        "  println({})\n",
        "}\n",
        "kotlinc -nowarn main.kt -d out && kotlin -cp out MainKt",
        "kotlinc",
    ),
    Program(
        "main.cs",
        "using System;\nusing System.Collections.Generic;\nclass P { public string p; }\nclass Start {\n"
        '  static string f(params string[] x) { return string.Join("|", x); }\n'
        "  static void Main() {\n    int x = 1;\n",
        "    Console.WriteLine({});\n",
        "  }\n}\n",
        "mcs -nowarn:0219 -out:main.exe main.cs && mono main.exe",
        "mcs",
    ),
]


def literals(name: str) -> list[tuple[str, str]]:
    """Give the literals of a language, each with the reason why it is left, or an empty text."""
    text = (Path(__file__).parent / "literals.txt").read_text()
    lines = text.partition(f"## {name}\n")[2].partition("\n## ")[0].splitlines()
    return [(line.partition(ARROW)[0].replace("⏎", "\n"), line.partition(ARROW)[2]) for line in lines]


def source(program: Program, parts: list[str]) -> str:
    before, _, after = program.printing.partition("{}")
    return program.before + "".join(before + part + after for part in parts) + program.after


def plain(text: str) -> str:
    return text.replace("⟦", "").replace("⟧", "")


def printed(program: Program, folder: Path, text: str, variables: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    (folder / program.name).write_text(text)
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8"}
    environment |= {"GOCACHE": str(folder / "gocache"), "GOFLAGS": "-mod=mod", **variables}
    return subprocess.run(program.command, shell=True, cwd=folder, env=environment, capture_output=True, timeout=600)


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_literal_is_left_byte_for_byte_where_a_reason_stands(program):
    left = [(literal, reason) for literal, reason in literals(program.name) if reason]
    for literal, reason in left:
        text = source(program, [literal])
        after, result = rewrite(program.name, text)
        assert after == plain(text)
        assert [skip.reason for skip in result.skips] == [reason], literal
        assert result.skips[0].advice


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_literal_that_is_rewritten_gives_the_same_value(program, tmp_path):
    require(program.tool)
    text = source(program, [literal for literal, reason in literals(program.name) if not reason])
    before = printed(program, tmp_path, plain(text), {})
    assert before.returncode == 0, before.stderr.decode()
    after, result = rewrite(program.name, text)
    assert [skip.reason for skip in result.skips] == []
    assert len(result.changes) >= 15
    variables = {
        change.target.variable: value.decode() for change, value in zip(result.changes, values(result), strict=True)
    }
    again = printed(program, tmp_path, after, variables)
    assert again.stdout == before.stdout, again.stderr.decode()
    assert printed(program, tmp_path, after, {}).returncode != 0  # a missing variable fails loudly
